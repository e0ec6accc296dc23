"""Patches pasted into pictures: their place and their outlines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
def test_a_patch_lies_where_it_is_placed(
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


@pytest.mark.parametrize("seed", range(20))
def test_pixels_far_from_a_patch_stay_as_they_are(seed: int) -> None:
    """A patch that continues beyond its square is 1.7 times as wide; rotated, 1.41 times that."""
    rows, columns = np.nonzero(paste_white(seed))
    reach = SIDE * 1.7 * 1.5 / 2
    assert np.abs(np.array([rows, columns]) - 150).max() <= reach + 2


def test_outlines_are_of_many_kinds() -> None:
    """No seed gives the outline of another; some edges are sharp and some fade."""
    shown = [paste_white(seed) for seed in range(30)]
    assert len({picture.tobytes() for picture in shown}) == 30
    steepest = [np.abs(np.diff(picture.astype(int), axis=1)).max() for picture in shown]
    assert min(steepest) < 40
    assert max(steepest) > 100
