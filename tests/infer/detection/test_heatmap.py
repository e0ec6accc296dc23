"""What the finder is shown, and what is read out of its maps."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.detection.heatmap import (
    STRIDE,
    Found,
    decode,
    letterbox,
    squares,
    suppress_overlaps,
    window,
)
from image_gender_classifier.results import Box

SIZE = 128
CELLS = SIZE // STRIDE
EXTENTS = st.integers(1, 2000)


@given(EXTENTS, EXTENTS)
def test_a_picture_is_fitted_whole_into_the_corner(height: int, width: int) -> None:
    pixels = np.zeros((height, width, 3), np.uint8)
    square = letterbox(pixels, SIZE)
    assert square.shape == (SIZE, SIZE, 3)
    shown = (square == 0).all(axis=-1)
    rows, columns = shown.any(axis=1).sum(), shown.any(axis=0).sum()
    assert max(rows, columns) >= SIZE - 1
    scale = SIZE / max(height, width)
    assert rows == pytest.approx(height * scale, abs=2)
    assert columns == pytest.approx(width * scale, abs=2)
    assert shown[:rows, :columns].all()


@given(EXTENTS, EXTENTS, st.floats(0.1, 1))
def test_squares_cover_the_picture_and_overlap(height: int, width: int, share: float) -> None:
    side = ceil(share * max(height, width))
    looks = list(squares(height, width, side))
    assert {one for _, _, one in looks} == {side}
    for extent, starts in (
        (width, sorted({left for left, _, _ in looks})),
        (height, sorted({top for _, top, _ in looks})),
    ):
        assert starts[0] == 0
        assert starts[-1] + side >= extent
        assert starts[-1] < extent
        assert (np.diff(starts) <= side / 2 + 1).all()


def test_faces_are_those_of_the_peaks() -> None:
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    heat[4, 8], heat[4, 9], heat[12, 3], heat[1, 1] = 3, 2, 1, -1
    boxes[4, 8] = 0.5, -0.25, np.log(0.25)
    boxes[4, 9] = -0.5, -0.25, np.log(0.25)
    boxes[12, 3] = 0, 0, np.log(0.125)
    found = list(decode(heat, boxes, 0))
    assert [face.logit for face in found] == [3, 1]
    boxes_found = [face.frame for face in found]
    assert boxes_found == [pytest.approx((56, 18, 32, 32)), pytest.approx((20, 92, 16, 16))]


def test_of_two_that_cover_each_other_the_surer_one_stays() -> None:
    one, inside = Found(Box(0, 0, 60, 60), 0.9), Found(Box(5, 5, 55, 55), 0.8)
    beside = Found(Box(50, 0, 60, 60), 0.7)
    assert suppress_overlaps([inside, beside, one]) == [one, beside]


def test_what_lies_inside_a_surer_face_is_none() -> None:
    face, mouth = Found(Box(0, 0, 60, 60), 0.9), Found(Box(20, 40, 15, 15), 0.8)
    shoulder = Found(Box(50, 50, 15, 15), 0.7)
    assert suppress_overlaps([shoulder, mouth, face]) == [face, shoulder]
    assert suppress_overlaps([mouth, shoulder], [face.frame]) == [shoulder]


def test_a_large_face_stays_beside_a_surer_part_of_it() -> None:
    part, face = Found(Box(20, 40, 15, 15), 0.9), Found(Box(0, 0, 60, 60), 0.8)
    assert suppress_overlaps([part, face]) == [part, face]


@given(EXTENTS, EXTENTS, st.floats(-0.2, 1.2), st.floats(-0.2, 1.2), st.floats(0.001, 2))
def test_a_look_at_one_face_is_around_it_and_inside_the_picture_if_it_can(
    height: int, width: int, across: float, down: float, share: float
) -> None:
    extent = share * max(height, width)
    centre = across * width, down * height
    frame = Box(centre[0] - extent / 2, centre[1] - extent / 2, extent, extent)
    left, top, side = window(frame, 1.3, height, width)
    assert 1 <= side <= max(height, width)
    assert side >= min(extent, max(height, width))
    for start, whole, middle in ((left, width, centre[0]), (top, height, centre[1])):
        assert 0 <= start <= max(whole - side, 0)
        if 0 < start < whole - side:
            assert start + side / 2 == pytest.approx(middle, abs=1)


@given(st.integers(130, 2000), st.floats(0.3, 1))
def test_what_is_fitted_stays_in_its_place(width: int, place: float) -> None:
    """Halving loses odd columns, but moves nothing."""
    ramp = np.broadcast_to(np.linspace(0, 255, width)[None, :, None], (width // 2, width, 3))
    row = letterbox(np.ascontiguousarray(ramp.astype(np.uint8)), SIZE)[10, :, 0]
    column = int(place * 120)
    assert row[column] == pytest.approx(255 * (column + 0.5) / SIZE, abs=2.5)


def test_a_known_face_is_not_found_again() -> None:
    found = [Found(Box(0, 0, 60, 60), 0.9), Found(Box(100, 0, 60, 60), 0.8)]
    assert suppress_overlaps(found, [Box(10, 5, 60, 60)]) == found[1:]


def test_cells_around_a_peak_help_to_place_the_frame() -> None:
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    boxes[..., 2] = np.log(0.5)
    heat[8, 8] = heat[8, 9] = 0  # probability 0.5 each
    boxes[8, 9, 0] = -0.8  # they disagree by 0.2 cells
    boxes[8, 10] = 50, 50, 0.5  # has no say
    found = next(decode(heat, boxes, -1))
    assert found.frame.width == pytest.approx(SIZE / 2)
    assert found.frame.x + found.frame.width / 2 == pytest.approx((8.5 + 0.1) * STRIDE)


def test_a_small_face_is_placed_by_its_own_cell() -> None:
    """Its neighbours may be those of another face."""
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    boxes[..., 2] = np.log(0.12)
    heat[4, 4], heat[4, 6] = 2, 1
    heat[4, 5] = 0.5  # no peak
    boxes[4, 5, :2] = 9
    assert [face.frame.x for face in decode(heat, boxes, 0)] == pytest.approx(
        [4.5 * STRIDE - 0.06 * SIZE, 6.5 * STRIDE - 0.06 * SIZE]
    )


def test_a_surer_small_face_does_not_place_a_large_one() -> None:
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    heat[8, 8], heat[8, 11] = 1, 3
    boxes[8, 8, 2], boxes[8, 11, 2] = np.log(0.9), np.log(0.2)
    small, large = decode(heat, boxes, 0)
    assert small.frame.width == pytest.approx(0.2 * SIZE)
    assert large.frame.width == pytest.approx(0.9 * SIZE)
    assert large.frame.x + large.frame.width / 2 == pytest.approx(8.5 * STRIDE)


@pytest.mark.parametrize("level", [-200, 200])
def test_extreme_maps_give_frames(level: float) -> None:
    heat = np.full((CELLS, CELLS), level, np.float32)
    found = list(decode(heat, np.zeros((CELLS, CELLS, 3), np.float32), -300))
    assert all(np.isfinite(face.frame).all() for face in found)
