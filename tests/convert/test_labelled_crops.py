"""Crops for conversion: labels stay with their crops, also through the copies."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from image_gender_classifier.convert.crops import cut_labelled_crops, extend_to_count
from image_gender_classifier.detection.whole_picture import WholePicture
from image_gender_classifier.train.common.cutting import SkippedSamples
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.datasets import Sample
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops


def labelled(count: int, size: int = 24) -> LabelledCrops:
    """Bright crops are female, dark ones male."""
    female = np.arange(count) % 3 == 0
    crops = np.where(female, 200, 40)[:, None, None, None] * np.ones((size, size, 3))
    return LabelledCrops(crops.astype(np.uint8), female)


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(0, 40))
def test_copies_follow_the_originals_with_their_labels(have: int, wanted: int) -> None:
    given_ = labelled(have)
    found = extend_to_count(given_, wanted)
    assert len(found.crops) == len(found.female) == max(have, wanted)
    assert np.array_equal(found.crops[:have], given_.crops)
    assert found.female.tolist() == [number % have % 3 == 0 for number in range(len(found.female))]
    assert found.crops.dtype == np.uint8


def test_copies_match_their_labels_and_differ_from_each_other() -> None:
    found = extend_to_count(labelled(6), 200)
    bright = found.crops.mean(axis=(1, 2, 3)) > 115
    assert np.mean(bright == found.female) > 0.97
    assert len({crop.tobytes() for crop in found.crops}) > 180


def test_copies_are_deterministic() -> None:
    assert np.array_equal(
        extend_to_count(labelled(4), 30).crops, extend_to_count(labelled(4), 30).crops
    )


def test_pictures_without_a_crop_are_skipped_with_their_label(tmp_path: Path) -> None:
    samples = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        if number in (1, 4):
            path.write_bytes(b"no picture")
        else:
            assert cv2.imwrite(str(path), np.full((30, 20, 3), 40 * number, np.uint8))
        samples.append(Sample(path.name, path, "female" if number > 2 else "male"))
    without = SkippedSamples()
    found = cut_labelled_crops(samples, WholePicture(), 16, without)
    assert [name for name, _ in without.unreadable] == ["1.png", "4.png"]
    assert len(found) == 4
    assert found.crops.shape == (4, 16, 16, 3)
    assert found.crops[:, 8, 8, 0].tolist() == [0, 80, 120, 200]
    assert found.female.tolist() == [False, False, True, True]
    assert found.is_gender("female").tolist() == [False, False, True, True]
    assert found.is_gender("male").tolist() == [True, True, False, False]


def test_no_crops_give_an_empty_set(samples: Path) -> None:
    detector = open_detector("network")
    rocket = Sample("rocket", samples / "rocket.jpg", "male")
    without = SkippedSamples()
    for chosen in ([rocket], []):
        found = cut_labelled_crops(chosen, detector, 16, without)
        assert found.crops.shape == (0, 16, 16, 3)
        assert found.crops.dtype == np.uint8
        assert found.female.shape == (0,)
        assert found.female.dtype == np.bool_
        assert not found
    assert without.no_face == ["rocket"]
