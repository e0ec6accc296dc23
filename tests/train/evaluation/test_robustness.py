"""Each degradation does what its name says, and none leaves the crop as it is in use."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from image_gender_classifier import pipeline
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.geometry import cut_crop, find_central_square
from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.detection.whole_picture import WholePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.train.common import quality
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.evaluation import robustness
from image_gender_classifier.train.evaluation.robustness import (
    CLEAN,
    DEGRADATIONS,
    HIDDEN_HAIR,
    Degradation,
    HairReplacement,
    cut_degraded_crop,
)

WAYS = {way.name: way for way in DEGRADATIONS}
SQUARE = Box(20.0, 30.0, 60.0, 60.0)


@pytest.fixture
def pixels() -> Pixels:
    """Smooth, and different in every corner and colour."""
    small = np.random.default_rng(3).integers(0, 256, (6, 6, 3), np.uint8)
    return np.asarray(cv2.resize(small, (100, 120), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("choice", ["none", "cascade"])
@pytest.mark.parametrize("size", [48, 96])
def test_the_original_crop_equals_that_of_inference(
    face_picture: Path, choice: str, size: int
) -> None:
    detector: Detector = open_detector("none" if choice == "none" else "cascade")
    used = pipeline.find_crop(decoding.read(face_picture), detector, size)
    assert used is not None
    versions = robustness.make_degraded_crop_cutter(detector, (CLEAN, *DEGRADATIONS))(
        Sample("astronaut", face_picture, "female"), size
    )
    assert versions is not None
    assert versions.shape == (1 + len(DEGRADATIONS), size, size, 3)
    assert versions.dtype == np.uint8
    assert np.array_equal(versions[0], used)
    for version in versions[1:]:
        assert not np.array_equal(version, versions[0])


def test_a_picture_without_a_face_has_no_crop(samples: Path) -> None:
    cut = robustness.make_degraded_crop_cutter(open_detector("network"), (CLEAN,))
    assert cut(Sample("rocket", samples / "rocket.jpg", "male"), 48) is None


def test_the_frame_is_in_pixels_of_the_picture_as_read(tmp_path: Path) -> None:
    """A large picture is read at a reduced size; its square must shrink with it."""
    path = tmp_path / "large.png"
    assert cv2.imwrite(str(path), np.zeros((3000, 4000, 3), np.uint8))
    picture = decoding.read(path)
    detector = WholePicture()
    square = pipeline.compute_frame(picture, detector.detect(picture)[0], detector)
    assert square.height == pytest.approx(picture.pixels.shape[0])
    assert square.height < 3000


def test_names_are_unique() -> None:
    assert len(WAYS) == len(DEGRADATIONS)
    assert CLEAN.name not in WAYS


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("box shifted 10 % left", Box(14, 30, 60, 60)),
        ("box shifted 10 % right", Box(26, 30, 60, 60)),
        ("box shifted 10 % up", Box(20, 24, 60, 60)),
        ("box shifted 10 % down", Box(20, 36, 60, 60)),
        ("box scaled by 0.9", Box(23, 33, 54, 54)),
        ("box scaled by 1.1", Box(17, 27, 66, 66)),
    ],
)
def test_a_moved_box_is_cut_from_the_picture(pixels: Pixels, name: str, box: Box) -> None:
    assert np.array_equal(
        cut_degraded_crop(pixels, SQUARE, WAYS[name], 32), cut_crop(pixels, box, 32)
    )


def test_edge_pixels_are_repeated_beyond_the_picture(pixels: Pixels) -> None:
    left = cut_degraded_crop(
        pixels, find_central_square(100, 100), WAYS["box shifted 10 % left"], 100
    )
    assert (left[:, :10] == left[:, 10:11]).all()
    assert not (left[:, 11:20] == left[:, 10:11]).all()


@pytest.mark.parametrize("side", [20, 32])
def test_a_shrunk_face_is_enlarged_to_the_crop(pixels: Pixels, side: int) -> None:
    face = cut_crop(pixels, SQUARE, 60)
    small = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    expected = cut_crop(small, find_central_square(side, side), 96)
    assert np.array_equal(
        cut_degraded_crop(pixels, SQUARE, WAYS[f"{side} pixels a side"], 96), expected
    )


def test_a_small_face_is_not_enlarged() -> None:
    face = np.zeros((18, 18, 3), np.uint8)
    assert robustness.shrink_face(face, 20) is face


def test_rotation_is_counterclockwise() -> None:
    face = np.zeros((41, 41, 3), np.uint8)
    face[18:23, 34:39] = 255
    up = robustness.rotate_face(face, 90)
    assert up[2:7, 18:23].min() > 200
    rows, columns = np.nonzero(robustness.rotate_face(face, 20)[..., 0] > 100)
    degrees = np.degrees(np.arctan2(20 - rows.mean(), columns.mean() - 20))
    assert degrees == pytest.approx(20, abs=2)


def test_rotation_repeats_the_border() -> None:
    face = np.full((40, 40, 3), 77, np.uint8)
    assert np.array_equal(robustness.rotate_face(face, -20), face)


def test_darkening_multiplies_values() -> None:
    face = np.array([[[0, 100, 255]]], np.uint8)
    assert robustness.darken_face(face, 0.6).tolist() == [[[0, 60, 153]]]


def test_a_degradation_may_move_the_square_and_change_pixels(pixels: Pixels) -> None:
    way = Degradation(
        "both", lambda box: robustness.shift_square(box, 0.1, 0.0), quality.convert_to_grey
    )
    expected = cut_crop(quality.convert_to_grey(pixels), Box(26, 30, 60, 60), 60)
    assert np.array_equal(cut_degraded_crop(pixels, SQUARE, way, 60), expected)


@pytest.mark.parametrize("replacement", ["blur", "colour"])
def test_hiding_hair_keeps_the_face_and_hides_the_corners(
    replacement: HairReplacement,
) -> None:
    """Stripes in the middle stay stripes; stripes in the corners become one colour."""
    face = np.zeros((96, 96, 3), np.uint8)
    face[:, ::6] = face[:, 1::6] = face[:, 2::6] = 240
    hidden = cut_degraded_crop(face, Box(0, 0, 96, 96), robustness.HIDDEN_HAIR[replacement], 96)
    assert np.array_equal(hidden[40:56, 30:66], face[40:56, 30:66])
    assert np.ptp(hidden[:10, :20].astype(int)) < 40


def test_the_edge_of_hidden_hair_is_soft() -> None:
    """From black to white in about four standard deviations of two pixels."""
    face = np.full((96, 96, 3), 255, np.uint8)
    face[:48] = 0
    row = robustness.hide_hair(face, "colour")[60, :, 0].astype(int)
    steps = np.nonzero((row > 140) & (row < 242))[0]
    assert 6 <= len(steps) <= 16


def test_hidden_hair_equals_its_definition() -> None:
    """At 96 pixels: half axes 0.30 and 0.37, edge of 2 pixels, blur of 14 pixels, or the mean."""
    face = np.random.default_rng(2).integers(0, 256, (96, 96, 3), np.uint8)
    across, down = np.meshgrid((np.arange(96) + 0.5) / 96 - 0.5, (np.arange(96) + 0.5) / 96 - 0.5)
    inside = ((across / 0.30) ** 2 + (down / 0.37) ** 2 <= 1).astype(np.float32)
    mask = cv2.GaussianBlur(inside, (0, 0), 2.0)[..., None]
    around = {"blur": cv2.GaussianBlur(face, (0, 0), 14.0), "colour": face.mean(axis=(0, 1))}
    for how, replacement in around.items():
        expected = face * mask + replacement * (1 - mask)
        hidden = HIDDEN_HAIR[how].change_pixels(face)  # type: ignore[index]
        assert np.abs(hidden - expected).max() <= 0.51


@pytest.mark.parametrize("turn", [90, 270])
def test_a_turned_face_is_evaluated_upright(pixels: Pixels, turn: Turn) -> None:
    for way in (CLEAN, *HIDDEN_HAIR.values(), WAYS["grey"]):
        upright = cut_degraded_crop(pixels, SQUARE, way, 60)
        lying = turn_pixels(upright, turn)
        if way is CLEAN or way is WAYS["grey"]:
            assert np.array_equal(cut_degraded_crop(pixels, SQUARE, way, 60, turn), lying)
        else:
            assert not np.array_equal(cut_degraded_crop(pixels, SQUARE, way, 60, turn), lying)
