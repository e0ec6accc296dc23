"""Patches pasted into pictures: their place and their outlines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.train.detector import pasting
from image_gender_classifier.train.detector.pasting import make_placing_matrix, paste

MIDDLE = (150.0, 150.0)
SIDE = 80


def paste_white(seed: int) -> np.ndarray:
    """Returns a black picture with a white patch in the middle, one channel."""
    picture = np.zeros((300, 300, 3), np.uint8)
    white = np.full((64, 64, 3), 255, np.uint8)
    paste(picture, white, None, SIDE, MIDDLE, np.random.default_rng(seed))
    return picture[..., 0]


@given(
    stored=st.integers(8, 200),
    side=st.floats(4, 400),
    centre=st.tuples(st.floats(-50, 500), st.floats(-50, 500)),
    degrees=st.floats(-180, 180),
)
def test_a_patch_is_placed_at_its_centre_and_side(
    stored: int, side: float, centre: tuple[float, float], degrees: float
) -> None:
    matrix = make_placing_matrix(stored, side, centre, degrees)
    middle = matrix @ ((stored - 1) / 2, (stored - 1) / 2, 1)
    assert middle + 0.5 == pytest.approx(centre, abs=1e-6)
    assert np.linalg.det(matrix[:, :2]) == pytest.approx((side / stored) ** 2)


@pytest.mark.parametrize("seed", range(20))
def test_the_middle_of_a_patch_covers_the_picture(seed: int) -> None:
    shown = paste_white(seed)
    assert (shown[140:160, 140:160] > 250).all()
    assert 0.2 * SIDE**2 < np.count_nonzero(shown > 127) < 1.8 * SIDE**2


def reach(shown: np.ndarray) -> float:
    """The largest distance of a changed pixel from the middle, across or down."""
    return float(np.abs(np.array(np.nonzero(shown)) - MIDDLE[0]).max())


def test_pixels_far_from_a_patch_do_not_change() -> None:
    """Some patches continue beyond their square, which makes them 1.7 times as wide."""
    reaches = np.array([reach(paste_white(seed)) for seed in range(60)])
    assert reaches.min() > 0.3 * SIDE
    assert reaches.max() <= 1.7 * SIDE * np.sqrt(0.5) + 2
    assert 0.2 < np.mean(reaches > 0.75 * SIDE) < 0.6


def test_patches_that_continue_beyond_their_square_fade_slowly() -> None:
    pictures = [paste_white(seed) for seed in range(60)]
    continued = [shown for shown in pictures if reach(shown) > 0.75 * SIDE]
    assert len(continued) > 15
    assert all((shown[145:155, 145:155] > 240).all() for shown in continued)
    steepest = [np.abs(np.diff(shown.astype(int), axis=0)).max() for shown in continued]
    assert np.median(steepest) < 0.35 * 255


def test_outlines_are_sharp_or_soft() -> None:
    shown = [paste_white(seed).astype(int) for seed in range(30)]
    steepest = [np.abs(np.diff(picture, axis=1)).max() for picture in shown]
    assert min(steepest) < 40
    assert max(steepest) > 100


def test_patches_are_rotated_by_random_angles() -> None:
    angles = [pasting.sample_angle(np.random.default_rng(seed)) for seed in range(200)]
    assert min(angles) < -25 < 25 < max(angles)
    assert np.mean(np.abs(angles) < 15) > 0.5


@pytest.mark.parametrize("centre", [(0.0, 0.0), (299.0, 5.0), (150.0, 300.0)])
def test_a_patch_with_a_mask_may_extend_beyond_the_picture(centre: tuple[float, float]) -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    white = np.full((64, 64, 3), 255, np.uint8)
    mask = np.full((64, 64), 0.5, np.float32)
    paste(picture, white, mask, SIDE, centre, np.random.default_rng(0))
    column, row = (min(int(place), 299) for place in centre)
    assert picture[row, column] == pytest.approx(128, abs=2)
    assert not picture[150, 20].any()
