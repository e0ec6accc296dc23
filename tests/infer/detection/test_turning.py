"""Quarter turns of pixels, and boxes turned back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.detection.turning import (
    QUARTER_TURNS,
    turn_box_back,
    turn_pixels,
    turn_shift_back,
)
from image_gender_classifier.results import Box, Turn


@given(st.sampled_from((0, *QUARTER_TURNS)), st.integers(4, 60), st.integers(4, 60), st.data())
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


@given(st.sampled_from((0, *QUARTER_TURNS)), st.integers(-9, 9), st.integers(-9, 9))
def test_a_box_moves_as_its_shift_says(turn: Turn, right: int, down: int) -> None:
    before, after = (
        turn_box_back(Box(20 + x, 30 + y, 4, 4), turn, 80, 90) for x, y in ((0, 0), (right, down))
    )
    assert turn_shift_back(right, down, turn) == (after.x - before.x, after.y - before.y)


def test_turns_are_clockwise() -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 0] = 9  # top left
    assert turn_pixels(pixels, 90)[0, -1, 0] == 9
    assert turn_pixels(pixels, 180)[-1, -1, 0] == 9
    assert turn_pixels(pixels, 270)[-1, 0, 0] == 9
    assert turn_pixels(pixels, 0) is pixels
