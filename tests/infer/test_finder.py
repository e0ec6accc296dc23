"""The finder's geometry: what is shown to the network, and what is read out of its maps."""

from __future__ import annotations

import itertools
from dataclasses import astuple
from math import ceil

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from image_gender_classifier import finder
from image_gender_classifier.errors import ModelError
from image_gender_classifier.finder import STRIDE, FaceFinder, Found, decode, fitted, squares
from image_gender_classifier.images import Picture
from image_gender_classifier.manifest import FinderEntry
from image_gender_classifier.verdict import Box

SIZE = 128
CELLS = SIZE // STRIDE
EXTENTS = st.integers(1, 2000)


class Marks:
    """A runtime that finds a face of a quarter of its input wherever a pixel is pure red."""

    input_shape = (SIZE, SIZE, 3)
    input_dtype = "uint8"

    def __init__(self, least: int = 1) -> None:
        self.looks = 0
        self._least = least

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        self.looks += len(crops)
        heat = np.full((len(crops), CELLS, CELLS, 1), -9, np.float32)
        boxes = np.zeros((len(crops), CELLS, CELLS, 3), np.float32)
        boxes[..., 2] = np.log(0.25)
        red = (crops == (255, 0, 0)).all(axis=-1)
        for index, row, column in np.argwhere(red):
            if red[index].sum() >= self._least:
                heat[index, row // STRIDE, column // STRIDE] = 4
        return boxes, heat


ENTRY = FinderEntry(
    file="finder.onnx",
    sha256="",
    bytes=0,
    input_shape=(SIZE, SIZE, 3),
    input_dtype="uint8",
    colour_order="RGB",
    detector="finder",
    smallest_face=0.12,
    threshold=0.5,
    license="Apache-2.0",
)


def marked(height: int, width: int, top: int, left: int, side: int) -> Picture:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top : top + side, left : left + side] = (255, 0, 0)
    return Picture(pixels, 2 * width, 2 * height)


@given(EXTENTS, EXTENTS)
def test_a_picture_is_fitted_whole_into_the_corner(height: int, width: int) -> None:
    pixels = np.zeros((height, width, 3), np.uint8)
    square = fitted(pixels, SIZE)
    assert square.shape == (SIZE, SIZE, 3)
    shown = (square == 0).all(axis=-1)
    rows, columns = shown.any(axis=1).sum(), shown.any(axis=0).sum()
    assert max(rows, columns) == SIZE
    scale = SIZE / max(height, width)
    assert rows == pytest.approx(height * scale, abs=1)
    assert columns == pytest.approx(width * scale, abs=1)
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


@example(2, 2, 0.02)
@given(EXTENTS, EXTENTS, st.none() | st.floats(0.02, 1))
def test_closer_rounds_go_as_far_as_is_needed(
    height: int, width: int, smallest: float | None
) -> None:
    sides = list(FaceFinder(Marks(), ENTRY, smallest)._sides(height, width))
    assert sides[0] == max(height, width)
    assert all(earlier >= later for earlier, later in itertools.pairwise(sides))
    assert all(earlier > later for earlier, later in itertools.pairwise(sides[1:]))
    assert len(list(squares(height, width, sides[1]))) <= 9
    if smallest is None:
        assert len(sides) == 2
    else:
        least = max(smallest * min(height, width), 1)
        assert ENTRY.smallest_face * sides[-1] <= least + 1


def test_faces_are_those_of_the_peaks() -> None:
    heat = np.full((CELLS, CELLS), -9, np.float32)
    boxes = np.zeros((CELLS, CELLS, 3), np.float32)
    heat[4, 8], heat[4, 9], heat[12, 3], heat[1, 1] = 3, 2, 1, -1
    boxes[4, 8] = 0.5, -0.25, np.log(0.25)
    boxes[12, 3] = 0, 0, np.log(0.125)
    found = decode(heat, boxes, 0.5)
    assert [face.score for face in found] == pytest.approx([0.9526, 0.7311], abs=1e-4)
    boxes_found = [astuple(face.frame) for face in found]
    assert boxes_found == [pytest.approx((56, 18, 32, 32)), pytest.approx((20, 92, 16, 16))]


def test_of_two_that_cover_each_other_the_surer_one_stays() -> None:
    one, inside = Found(Box(0, 0, 60, 60), 0.9), Found(Box(5, 5, 55, 55), 0.8)
    beside = Found(Box(50, 0, 60, 60), 0.7)
    assert finder._distinct([one, inside, beside]) == [one, beside]


def test_boxes_are_in_pixels_of_the_original() -> None:
    runtime = Marks()
    (face,) = FaceFinder(runtime, ENTRY).find(marked(300, 400, 150, 200, 40))
    assert runtime.looks == 1
    assert face.detector == "finder"
    assert face.box.width == pytest.approx(2 * 400 / 4)
    centre = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
    assert centre == pytest.approx((2 * 220, 2 * 170), abs=2 * 40)


def test_looks_closer_where_it_sees_nothing_at_first() -> None:
    """The mark is too small to be a face at the first look."""
    runtime = Marks(least=60)
    (face,) = FaceFinder(runtime, ENTRY).find(marked(400, 400, 300, 310, 20))
    assert runtime.looks > 2
    assert face.box.width == pytest.approx(2 * 240 / 4, abs=2)
    centre = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
    assert centre == pytest.approx((2 * 320, 2 * 310), abs=2 * 15)


def test_smaller_faces_are_looked_for_or_left_out_as_is_wanted() -> None:
    small = marked(400, 400, 300, 310, 20)
    for smallest, found in ((None, False), (0.05, True), (0.5, False)):
        assert bool(FaceFinder(Marks(least=150), ENTRY, smallest).find(small)) is found


def test_sees_nothing_where_nothing_is() -> None:
    assert FaceFinder(Marks(), ENTRY).find(marked(300, 200, 0, 0, 0)) == []


def test_refuses_a_network_of_another_form() -> None:
    runtime = Marks()
    runtime.input_shape = (64, 64, 3)
    with pytest.raises(ModelError, match=r"^finder\.onnx: takes uint8 \(64, 64, 3\)"):
        FaceFinder(runtime, ENTRY)


def test_refuses_other_maps() -> None:
    class Wrong(Marks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            return (np.zeros((1, 1), np.float32),)

    with pytest.raises(ModelError, match="gives other maps"):
        FaceFinder(Wrong(), ENTRY).find(marked(300, 200, 0, 0, 0))
