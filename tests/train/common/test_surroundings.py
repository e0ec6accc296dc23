"""What is inside an ellipse stays, and what is outside is replaced."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.train.common.surroundings import (
    blur_pixels,
    compute_mean_colour,
    make_ellipse_mask,
    replace_surroundings,
)


def test_the_mask_has_the_centre_and_area_of_the_ellipse() -> None:
    mask = make_ellipse_mask(200, (0.4, 0.6), (0.2, 0.3), 2.0)
    assert mask.shape == (200, 200, 1)
    assert abs(mask.mean() - np.pi * 0.2 * 0.3) < 0.002
    rows, columns = np.nonzero(mask[..., 0] > 0.5)
    assert abs(rows.mean() + 0.5 - 120) < 0.5
    assert abs(columns.mean() + 0.5 - 80) < 0.5


@given(
    side=st.integers(16, 128),
    centre=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)),
    half_axes=st.tuples(st.floats(0.05, 0.6), st.floats(0.05, 0.6)),
    softness=st.floats(0.05, 6),
)
def test_plain_pictures_do_not_change(
    side: int, centre: tuple[float, float], half_axes: tuple[float, float], softness: float
) -> None:
    mask = make_ellipse_mask(side, centre, half_axes, softness)
    assert mask.min() >= 0
    assert mask.max() <= 1 + 1e-5
    for level in (0, 7, 255):
        face = np.full((side, side, 3), level, np.uint8)
        assert np.array_equal(replace_surroundings(face, compute_mean_colour(face), mask), face)
        assert np.array_equal(replace_surroundings(face, blur_pixels(face, 5.0), mask), face)
