"""Whole pictures are told from face crops by the size of the face."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NoReturn

import cv2
import pytest

from image_gender_classifier import pipeline
from image_gender_classifier.errors import Unfinished
from image_gender_classifier.imaging import decoding
from image_gender_classifier.train.common.detector_option import choose_detector, open_detector
from image_gender_classifier.train.common.picture_kind import warn_of_other_kind
from image_gender_classifier.train.datasets.sample import Sample

PORTRAITS = ("astronaut", "mona_lisa", "aksel_andersson")


@pytest.fixture
def whole(samples: Path, tmp_path: Path) -> list[Sample]:
    """Three portraits, a picture without a face, and a damaged one."""
    for name in (*PORTRAITS, "cat"):
        shutil.copy(samples / f"{name}.jpg", tmp_path)
    (tmp_path / "damaged.jpg").write_bytes(b"damaged")
    return [Sample(path.stem, path, "female") for path in sorted(tmp_path.glob("*.jpg"))]


@pytest.fixture
def crops(samples: Path, tmp_path: Path) -> list[Sample]:
    detector = open_detector("network")
    found = []
    for name in PORTRAITS:
        crop = pipeline.find_crop(decoding.read(samples / f"{name}.jpg"), detector, 128)
        assert crop is not None
        path = tmp_path / f"{name}.png"
        assert cv2.imwrite(str(path), crop[..., ::-1])
        found.append(Sample(name, path, "female"))
    return found


def test_crops_and_whole_pictures_with_the_wrong_detector_are_reported(
    whole: list[Sample], crops: list[Sample], capsys: pytest.CaptureFixture[str]
) -> None:
    warn_of_other_kind(whole, "cascade")
    warn_of_other_kind(crops, "none")
    warn_of_other_kind([], "none")
    assert capsys.readouterr().err == ""
    warn_of_other_kind(whole, "none")
    shown = capsys.readouterr().err
    assert shown.startswith("warning: in 3 of 3 pictures the face is much smaller than")
    warn_of_other_kind([*crops, whole[0]], "cascade")
    shown = capsys.readouterr().err
    assert "the face fills 3 of 4 pictures" in shown
    assert "--detector none" in shown


def test_a_picture_that_cannot_be_read_at_present_is_named(
    whole: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise Unfinished("the disk is gone")

    monkeypatch.setattr(decoding, "read", fail)
    with pytest.raises(Unfinished, match=r"/aksel_andersson\.jpg: the disk is gone"):
        warn_of_other_kind(whole, "none")


def test_the_default_detector_depends_on_the_layout() -> None:
    assert choose_detector(None, "folders") == "network"
    assert choose_detector(None, "user-id") == "network"
    assert choose_detector(None, "fairface") == "none"
    assert choose_detector("lbp", "folders") == "lbp"
