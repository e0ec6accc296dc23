"""Inputs with several pixels per position."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.runtimes.pixel_groups import find_pixel_groups

SIDES = st.integers(1, 40)


@given(SIDES, SIDES, st.integers(1, 4))
def test_groups_are_neighbouring_pixels(height: int, width: int, size: int) -> None:
    groups = find_pixel_groups(height, width, 3 * size)
    assert groups.pixels == (height, width * size, 3)
    crop = np.random.default_rng(0).integers(0, 256, groups.pixels, np.uint8)
    packed = groups.pack(crop)
    assert packed.shape == (1, height, width, 3 * size)
    row, column = height // 2, width // 2
    together = [crop[row, size * column + place] for place in range(size)]
    assert np.array_equal(packed[0, row, column], np.concatenate(together))


@given(SIDES, SIDES, st.sampled_from((1, 2, 4, 5)))
def test_other_channels_are_not_grouped(height: int, width: int, channels: int) -> None:
    assert find_pixel_groups(height, width, channels) == ((height, width, channels), 1)


def test_a_width_that_groups_do_not_fill_is_an_error() -> None:
    with pytest.raises(ValueError, match="reshape"):
        find_pixel_groups(8, 4, 6).pack(np.zeros((8, 7, 3), np.uint8))
