from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from image_gender_classifier.outputs.annotated_folder import AnnotatedFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.results import Drawings, Prediction

PICTURE = PictureFile("a.jpg", "a.xml")
PREDICTION = Prediction("a.jpg", "no_face", "unknown", run="0123456789ab")
JPEG = b"\xff\xd8" + bytes(9000) + b"\xff\xd9"


def test_a_complete_copy_is_reused(out: Path) -> None:
    folder = AnnotatedFolder(out)
    assert not folder.can_reuse(PICTURE, PREDICTION)
    folder.write(Row(PICTURE, PREDICTION, drawings=Drawings(copy=JPEG)))
    assert folder.can_reuse(PICTURE, PREDICTION)
    assert not folder.can_reuse(PICTURE, replace(PREDICTION, run="f" * 12))


def test_a_copy_of_another_size_is_not_reused(out: Path) -> None:
    AnnotatedFolder(out, 640).write(Row(PICTURE, PREDICTION, drawings=Drawings(copy=JPEG)))
    assert AnnotatedFolder(out, 640).can_reuse(PICTURE, PREDICTION)
    assert not AnnotatedFolder(out, 1024).can_reuse(PICTURE, PREDICTION)


def test_an_incomplete_copy_is_not_reused(out: Path) -> None:
    folder = AnnotatedFolder(out)
    folder.write(Row(PICTURE, PREDICTION, drawings=Drawings(copy=JPEG)))
    path = out / "a.jpg"
    for left in (path.read_bytes()[:4096], b""):
        path.write_bytes(left)
        assert not folder.can_reuse(PICTURE, PREDICTION)


def test_an_unreadable_picture_needs_no_copy(out: Path) -> None:
    folder = AnnotatedFolder(out)
    unreadable = replace(PREDICTION, status="unreadable")
    folder.write(Row(PICTURE, unreadable))
    assert list(out.iterdir()) == []
    assert folder.can_reuse(PICTURE, unreadable)
