"""Tiles of a picture and letterboxing."""

from __future__ import annotations

import itertools
from math import ceil

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from image_gender_classifier.detection.tiling import (
    choose_pass_sides,
    letterbox,
    letterbox_large,
    make_face_tile,
    make_tiles,
)
from image_gender_classifier.results import Box

SIZE = 128
RELIABLE = 0.12
EXTENTS = st.integers(1, 2000)


@given(EXTENTS, EXTENTS)
def test_a_picture_is_letterboxed_into_the_corner(height: int, width: int) -> None:
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


@given(EXTENTS, EXTENTS)
def test_padding_a_large_view_adds_less_than_32_pixels(height: int, width: int) -> None:
    shown = letterbox(np.zeros((height, width, 3), np.uint8), 2 * SIZE) == 0
    large = letterbox_large(np.zeros((height, width, 3), np.uint8), 2 * SIZE)
    assert [side % 32 for side in large.shape[:2]] == [0, 0]
    content = [shown.any(axis=(1 - axis, 2)).sum() for axis in (0, 1)]
    assert all(0 <= a - b < 32 for a, b in zip(large.shape[:2], content, strict=True))
    assert np.array_equal(large == 0, shown[: large.shape[0], : large.shape[1]])


@given(EXTENTS, EXTENTS, st.floats(0.1, 1), st.sampled_from((1.0, 2.0)))
def test_tiles_cover_the_picture_and_overlap(
    height: int, width: int, share: float, largest: float
) -> None:
    side = ceil(share * max(height, width))
    wanted = list(make_tiles(height, width, side, largest))
    (tile_side,) = {tile.side for tile in wanted}
    assert tile_side == min(largest * side, max(height, width))
    for extent, starts in (
        (width, sorted({tile.left for tile in wanted})),
        (height, sorted({tile.top for tile in wanted})),
    ):
        assert starts[0] == 0
        assert starts[-1] + tile_side >= extent
        assert starts[-1] < extent
        assert (np.diff(starts) <= tile_side - side / 4 + 1).all()


@given(EXTENTS, EXTENTS, st.floats(-0.2, 1.2), st.floats(-0.2, 1.2), st.floats(0.001, 2))
def test_the_tile_of_a_face_contains_it_and_is_inside_the_picture_if_possible(
    height: int, width: int, across: float, down: float, share: float
) -> None:
    extent = share * max(height, width)
    centre = across * width, down * height
    frame = Box(centre[0] - extent / 2, centre[1] - extent / 2, extent, extent)
    left, top, side = make_face_tile(frame, 1.3, height, width)
    assert 1 <= side <= max(height, width)
    assert side >= min(extent, max(height, width))
    for start, whole, middle in ((left, width, centre[0]), (top, height, centre[1])):
        assert 0 <= start <= max(whole - side, 0)
        if 0 < start < whole - side:
            assert start + side / 2 == pytest.approx(middle, abs=1)


@given(st.integers(130, 2000), st.floats(0.3, 1))
def test_letterboxing_shifts_no_pixels(width: int, place: float) -> None:
    """Halving drops the last of an odd number of columns."""
    ramp = np.broadcast_to(np.linspace(0, 255, width)[None, :, None], (width // 2, width, 3))
    row = letterbox(np.ascontiguousarray(ramp.astype(np.uint8)), SIZE)[10, :, 0]
    column = int(place * 120)
    assert row[column] == pytest.approx(255 * (column + 0.5) / SIZE, abs=2.5)


@example(2, 2, 0.02)
@given(EXTENTS, EXTENTS, st.none() | st.floats(0.02, 1))
def test_tiles_shrink_as_far_as_the_smallest_face_needs(
    height: int, width: int, smallest: float | None
) -> None:
    sides = list(choose_pass_sides(height, width, smallest, RELIABLE, SIZE))
    assert sides[0] == max(height, width)
    assert all(earlier > later for earlier, later in itertools.pairwise(sides))
    if smallest is None:
        assert [len(list(make_tiles(height, width, side))) for side in sides] == [1]
    else:
        detected = max(RELIABLE * sides[-1], RELIABLE * 0.75 * SIZE)
        assert detected <= max(smallest * min(height, width), RELIABLE * 0.75 * SIZE) + 1
        assert min(sides) >= min(0.75 * SIZE, max(height, width))


@given(EXTENTS, EXTENTS)
def test_by_default_a_second_pass_has_few_tiles(height: int, width: int) -> None:
    sides = list(choose_pass_sides(height, width, None, RELIABLE, SIZE, second_pass=True))
    assert sides[0] == max(height, width)
    for side in sides[1:]:
        assert 0.75 * SIZE <= side < sides[0]
        assert len(list(make_tiles(height, width, side))) <= 9
        if 2 * min(height, width) >= max(height, width):
            assert len(list(make_tiles(height, width, side, largest=2))) == 1
    if max(height, width) > 1.4 * SIZE:
        assert len(sides) == 2


@given(st.integers(1, 1279), st.floats(0.02, 1))
def test_the_number_of_tiles_is_bounded(shorter: int, smallest: float) -> None:
    """A working copy has at most 1,279 pixels per side."""
    sides = choose_pass_sides(shorter, 1279, smallest, RELIABLE, SIZE)
    assert sum(len(list(make_tiles(shorter, 1279, side))) for side in sides) < 1200
