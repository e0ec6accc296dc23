from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sample_prediction import PICTURE, PREDICTION, RUN

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.xml_folder import XmlFolder
from image_gender_classifier.results import Prediction


def test_a_written_prediction_can_be_read(out: Path) -> None:
    folder = XmlFolder(out)
    folder.write(Row(PICTURE, PREDICTION))
    assert (out / "a.xml").read_bytes() == xml.encode_prediction(PREDICTION)
    assert XmlFolder(out).read_prediction(PICTURE) == PREDICTION


def test_a_prediction_without_the_probability_of_female_is_not_reused(out: Path) -> None:
    """Earlier versions did not write it."""
    folder = XmlFolder(out)
    (out / "a.xml").write_bytes(re.sub(rb' female="[^"]*"', b"", xml.encode_prediction(PREDICTION)))
    earlier = folder.read_prediction(PICTURE)
    assert earlier is not None and earlier.p_female is None
    assert not folder.can_reuse(PICTURE, earlier)
    assert folder.can_reuse(PICTURE, PREDICTION)
    assert folder.can_reuse(PICTURE, Prediction("a.jpg", "no_face", "unknown", run=RUN))


def test_subfolders_are_mirrored(out: Path) -> None:
    XmlFolder(out).write(Row(PictureFile("x/y/a.jpg", "x/y/a.xml"), PREDICTION))
    assert [str(path.relative_to(out)) for path in out.rglob("*.xml")] == ["x/y/a.xml"]


def test_outdated_xml_files_are_not_kept(out: Path) -> None:
    folder = XmlFolder(out)
    assert folder.read_prediction(PICTURE) is None
    folder.write(Row(PICTURE, PREDICTION))
    assert folder.read_prediction(PICTURE) == PREDICTION
    renamed = PictureFile("a.png", "a.xml")
    assert folder.read_prediction(renamed) is None
    (out / "a.xml").write_bytes(xml.encode_prediction(PREDICTION)[:-5])
    assert folder.read_prediction(PICTURE) is None


def test_the_xml_file_of_an_escaped_name_is_kept(out: Path) -> None:
    odd = PictureFile("a\x01\udcff.jpg", "a\x01\udcff.xml")
    folder = XmlFolder(out)
    folder.write(Row(odd, Prediction(odd.file, "no_face", "unknown", run=RUN)))
    assert folder.read_prediction(odd) is not None


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", b"\xff", b'<?xml version="1.0" encoding="UTF-99"?><image/>']
)
def test_other_xml_files_are_not_kept(data: bytes, out: Path) -> None:
    (out / "a.xml").write_bytes(data)
    assert XmlFolder(out).read_prediction(PICTURE) is None


def test_a_deleted_output_folder_is_not_created_again(out: Path) -> None:
    folder = XmlFolder(out)
    folder.write(Row(PICTURE, PREDICTION))
    shutil.rmtree(out)
    for picture in (PICTURE, PictureFile("sub/a.jpg", "sub/a.xml")):
        with pytest.raises(OutputError):
            folder.write(Row(picture, PREDICTION))
        with pytest.raises(OutputError):
            XmlFolder(out).write(Row(picture, PREDICTION))
    assert not out.exists()


def test_a_file_in_place_of_a_subfolder_loses_no_prediction(out: Path) -> None:
    folder = XmlFolder(out)
    folder.write(Row(PictureFile("sub/a.jpg", "sub/a.xml"), PREDICTION))
    shutil.rmtree(out / "sub")
    (out / "sub").touch()
    picture = PictureFile("sub/a.jpg", "sub/a.xml")
    prediction = replace(PREDICTION, file="sub/a.jpg")
    for each in (folder, XmlFolder(out)):
        each.write(Row(picture, prediction))
        (name,) = each.renamed.values()
        assert xml.decode_prediction((out / name).read_bytes()) == prediction
        assert each.has_xml(picture) and each.read_prediction(picture) == prediction
        (out / name).unlink()


def test_a_picture_is_never_replaced(out: Path, samples: Path) -> None:
    """A picture may have been added since the folder was listed."""
    folder = XmlFolder(out)
    shutil.copy(samples / "cat.jpg", out / "a.xml")
    folder.write(Row(PICTURE, PREDICTION))
    assert (out / "a.xml").read_bytes() == (samples / "cat.jpg").read_bytes()
    assert folder.renamed["a.jpg"].startswith("a~")
    assert folder.read_prediction(PICTURE) == PREDICTION


def test_a_symbolic_link_to_a_folder_is_not_followed(out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (out / "sub").symlink_to(tmp_path / "elsewhere")
    picture = PictureFile("sub/a.jpg", "sub/a.xml")
    prediction = replace(PREDICTION, file="sub/a.jpg")
    folder = XmlFolder(out)
    folder.write(Row(picture, prediction))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert folder.renamed["sub/a.jpg"].startswith("a~")
    (tmp_path / "elsewhere" / "a.xml").write_bytes(
        xml.encode_prediction(replace(prediction, run="0" * 12))
    )
    assert folder.read_prediction(picture) == prediction


@pytest.mark.parametrize("left", [b"", bytes(300), xml.encode_prediction(PREDICTION)[:-9]])
def test_an_incomplete_xml_file_is_not_kept(left: bytes, out: Path) -> None:
    (out / "a.xml").write_bytes(left)
    assert XmlFolder(out).read_prediction(PICTURE) is None


def test_a_symbolic_link_to_an_xml_file_is_not_kept(out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.xml").write_bytes(xml.encode_prediction(PREDICTION))
    (out / "a.xml").symlink_to(tmp_path / "elsewhere.xml")
    assert XmlFolder(out).read_prediction(PICTURE) is None


def test_leftovers_of_a_killed_run_are_removed(out: Path, ended_process: int) -> None:
    (out / "sub").mkdir()
    leftovers = [folder / f".igc-{ended_process}-0.partial" for folder in (out, out / "sub")]
    for leftover in leftovers:
        leftover.touch()
    XmlFolder(out).write(Row(PictureFile("sub/a.jpg", "sub/a.xml"), PREDICTION))
    assert not any(leftover.exists() for leftover in leftovers)


def test_a_kept_xml_file_is_not_written_again(out: Path) -> None:
    XmlFolder(out).write(Row(PICTURE, PREDICTION, kept=True))
    assert list(out.iterdir()) == []
