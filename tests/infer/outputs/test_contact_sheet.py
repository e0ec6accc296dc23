"""The contact sheet is valid HTML for any file names."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html

from image_gender_classifier.outputs.contact_sheet import ContactSheet
from image_gender_classifier.outputs.escaping import escape_name
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction

PICTURE = PictureFile("a.jpg", "a.xml")
UNCERTAIN = Prediction("a.jpg", "uncertain", "unknown", 0.61)


def figures(path: Path, *shown: tuple[Prediction, Drawings]) -> list[Any]:
    sheet = ContactSheet(path)
    for prediction, drawings in shown:
        sheet.write(Row(PICTURE, prediction, drawings=drawings))
    sheet.close()
    return list(html.fromstring(path.read_text("utf-8")).findall(".//figure"))


def test_only_pictures_with_a_thumbnail_are_on_the_sheet(tmp_path: Path) -> None:
    without = ((UNCERTAIN, NO_DRAWINGS), (UNCERTAIN, Drawings(copy=b"large")))
    assert figures(tmp_path / "sheet", *without) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_each_thumbnail_has_its_file_name(
    data: st.DataObject, predictions: st.SearchStrategy[Prediction], tmp_path: Path
) -> None:
    shown = data.draw(
        st.lists(st.tuples(predictions, st.binary(min_size=1, max_size=99)), max_size=5)
    )
    rows = [(prediction, Drawings(thumbnail=jpeg)) for prediction, jpeg in shown]
    found = figures(tmp_path / "sheet", *rows)
    assert len(found) == len(shown)
    for figure, (prediction, jpeg) in zip(found, shown, strict=True):
        source = figure.find("img").get("src")
        assert b64decode(source.removeprefix("data:image/jpeg;base64,"), validate=True) == jpeg
        caption = figure.find("figcaption").text_content()
        assert prediction.status.replace("_", " ") in caption
        plain = "".join(c for c in escape_name(prediction.file) if c.isalnum() and c.isascii())
        assert plain in "".join(c for c in caption if c.isalnum() and c.isascii())


def test_the_caption_has_the_confidence(tmp_path: Path) -> None:
    no_face = replace(UNCERTAIN, status="no_face", confidence=None)
    drawn = Drawings(thumbnail=b"jpeg")
    found = figures(tmp_path / "sheet", (UNCERTAIN, drawn), (no_face, drawn))
    captions = [figure.find("figcaption").text_content() for figure in found]
    assert captions == ["a.jpguncertain (0.610)", "a.jpgno face"]


def test_only_doubtful_pictures_need_a_thumbnail(tmp_path: Path) -> None:
    sheet = ContactSheet(tmp_path / "sheet")
    assert not sheet.can_reuse(PICTURE, UNCERTAIN)
    assert sheet.can_reuse(PICTURE, replace(UNCERTAIN, status="classified"))
    sheet.close()
