"""Quarter turns of pictures, and boxes turned back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.detection.turning import (
    QUARTER_TURNS,
    turn_box_back,
    turn_picture,
    turn_pixels,
)
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box, Turn


@given(st.sampled_from(QUARTER_TURNS), st.integers(4, 60), st.integers(4, 60), st.data())
def test_a_box_is_where_its_pixels_were(
    turn: Turn, height: int, width: int, data: st.DataObject
) -> None:
    top, left = data.draw(st.integers(0, height - 3)), data.draw(st.integers(0, width - 3))
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top : top + 2, left : left + 3] = 255
    turned = turn_pixels(pixels, turn)
    rows, columns = np.nonzero(turned[..., 0])
    x, y = columns.min(), rows.min()
    box = Box(x, y, columns.max() + 1 - x, rows.max() + 1 - y)
    assert turn_box_back(box, turn, width, height) == Box(left, top, 3, 2)


def test_turns_are_clockwise() -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0] = 9  # top left
    assert turn_pixels(pixels, 90)[0, -1, 0] == 9
    assert turn_pixels(pixels, 180)[-1, -1, 0] == 9
    assert turn_pixels(pixels, 270)[-1, 0, 0] == 9
    assert turn_pixels(pixels, 0) is pixels


@pytest.mark.parametrize("turn", QUARTER_TURNS)
def test_a_turned_picture_has_the_turned_size_at_every_resolution(turn: Turn) -> None:
    fine = Picture(np.zeros((40, 60, 3), np.uint8), 120, 80)
    quick = Picture(np.zeros((20, 30, 3), np.uint8), 120, 80, decode_finer=lambda: fine)
    for picture in (turn_picture(quick, turn), turn_picture(quick, turn).finer()):
        assert (picture.width, picture.height) == ((120, 80) if turn == 180 else (80, 120))
        height, width = picture.pixels.shape[:2]
        assert width / height == picture.width / picture.height
        assert picture.pixels.flags.c_contiguous
    assert turn_picture(quick, turn).finer().scale == 2
