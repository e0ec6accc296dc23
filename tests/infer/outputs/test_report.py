"""The report: a page of all pictures, which later runs write again from the same thumbnails."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_gender_classifier.outputs.escaping import escape_name
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.report import Report
from image_gender_classifier.outputs.settings import OutputSettings
from image_gender_classifier.results import Drawings, Prediction, Preview

RUN = "0123456789ab"
NO_FACE = Prediction("b.jpg", "no_face", "unknown", run=RUN)
BROKEN = Prediction("a.jpg", "unreadable", "unknown", run=RUN, message="corrupt")
DRAWN = Drawings(thumbnail=Preview("", 400, 300, b"\xff\xd8" + bytes(9000) + b"\xff\xd9"))


class Written(NamedTuple):
    """A report in the folder of a test.

    Attributes:
        path: The HTML file.
        pictures: The input folder.
    """

    path: Path
    pictures: Path

    def open(self) -> Report:
        return Report(
            self.path, OutputSettings(self.pictures, describe_run=lambda: (("A", "<b>"),))
        )

    def write(self, *rows: tuple[Prediction, Drawings]) -> dict[str, Any]:
        """Writes the report of a run and returns its data."""
        report = self.open()
        for prediction, drawings in rows:
            report.write(make_row(prediction, drawings))
        report.close()
        return self.read_data()

    def read_data(self) -> dict[str, Any]:
        script = self.path.with_name("report_files").joinpath("data.js").read_text()
        data: dict[str, Any] = json.loads(script.partition("const REVIEW = ")[2][:-2])
        return data

    def list_thumbnails(self) -> list[Path]:
        return sorted(self.path.parent.glob("report_files/thumbnails/*/*"))

    def read_files(self) -> dict[Path, bytes]:
        files = [path for path in self.path.parent.rglob("*") if path.is_file()]
        return {path: path.read_bytes() for path in files}


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "report.html", tmp_path / "my photos")


def make_row(prediction: Prediction, drawings: Drawings) -> Row:
    return Row(PictureFile(prediction.file, ""), prediction, drawings=drawings)


def test_the_page_has_all_pictures_in_order_and_the_settings(written: Written) -> None:
    data = written.write((NO_FACE, DRAWN), (BROKEN, Drawings()))
    assert (data["title"], data["pictures"]) == ("Report on my photos", "my%20photos/")
    assert (data["editing"], data["run"]) == (False, [["A", "<b>"]])
    assert [item[0] for item in data["items"]] == ["a.jpg", "b.jpg"]
    assert [item[4:6] for item in data["items"]] == [[0, 0], [400, 300]]
    assert data["items"][0][8] == "corrupt"
    (thumbnail,) = written.list_thumbnails()
    assert thumbnail.stem == data["items"][1][6]
    texts = (written.path.parent / "report_files" / "xml" / "0.js").read_text()
    assert texts.index("a.jpg") < texts.index("b.jpg")


def test_a_later_run_needs_no_new_thumbnail(written: Written) -> None:
    report = written.open()
    assert not report.can_reuse(PictureFile("b.jpg", ""), NO_FACE)
    assert report.can_reuse(PictureFile("a.jpg", ""), BROKEN)
    written.write((NO_FACE, DRAWN), (BROKEN, Drawings()))
    files = written.read_files()
    report = written.open()
    assert report.can_reuse(PictureFile("b.jpg", ""), NO_FACE)
    assert not report.can_reuse(PictureFile("b.jpg", ""), replace(NO_FACE, run="f" * 12))
    assert not report.can_reuse(PictureFile("c.jpg", ""), replace(NO_FACE, file="c.jpg"))
    written.write((NO_FACE, Drawings()), (BROKEN, Drawings()))
    assert written.read_files() == files


def test_an_incomplete_thumbnail_is_drawn_again(written: Written) -> None:
    written.write((NO_FACE, DRAWN))
    (thumbnail,) = written.list_thumbnails()
    whole = thumbnail.read_bytes()
    for left in (whole[:4096], whole.replace(b"400 x 300", b"400 or so"), b"\xff\xd8\xff\xfe", b""):
        thumbnail.write_bytes(left)
        assert not written.open().can_reuse(PictureFile("b.jpg", ""), NO_FACE)


def test_thumbnails_of_other_pictures_are_removed(written: Written) -> None:
    written.write((NO_FACE, DRAWN))
    (old,) = written.list_thumbnails()
    written.write((replace(NO_FACE, run="f" * 12), DRAWN))
    (new,) = written.list_thumbnails()
    assert old != new


def test_an_interrupted_run_leaves_the_page_as_it_is(written: Written) -> None:
    written.write((NO_FACE, DRAWN), (BROKEN, Drawings()))
    files = written.read_files()
    report = written.open()
    for number in range(300):  # more than a file of XML texts has
        report.write(make_row(replace(BROKEN, file=f"{number}.jpg"), Drawings()))
    assert report.abandon() is None
    assert written.read_files() == files


def is_file_name(name: str) -> bool:
    """Returns whether the system can have a file of this name: it has no surrogate of other use."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(data=st.data())
def test_any_prediction_can_be_shown(
    data: st.DataObject, predictions: st.SearchStrategy[Prediction], written: Written
) -> None:
    shown = data.draw(
        st.lists(
            predictions.filter(lambda one: is_file_name(one.file)),
            max_size=5,
            unique_by=lambda one: one.file,
        )
    )
    items = written.write(*[(prediction, DRAWN) for prediction in shown])["items"]
    assert {item[0] for item in items} == {escape_name(prediction.file) for prediction in shown}
    assert len(written.list_thumbnails()) == len(shown)
