"""Views of a picture in the face detector network: tiles, turned and in sheets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marks import ENTRY, SIZE, Marks, marked, middle

from image_gender_classifier.detection.tile_network import TileNetwork, View
from image_gender_classifier.detection.tiling import Tile
from image_gender_classifier.results import Turn

TURNS = st.sampled_from((0, 90, 180, 270))
EXTENTS = st.integers(160, 400)


@settings(max_examples=50)
@given(EXTENTS, EXTENTS, TURNS, st.sampled_from((None, 256)), st.data())
def test_a_mark_is_found_where_it_is_however_it_is_seen(
    height: int, width: int, turn: Turn, largest: int | None, data: st.DataObject
) -> None:
    side = max(40, max(height, width) // 6)  # in a cell of a sheet at least ten pixels
    top, left = data.draw(st.integers(0, height - side)), data.draw(st.integers(0, width - side))
    picture = marked(height, width, top, left, side)
    expected = pytest.approx((2 * left + side, 2 * top + side), abs=0.35 * side)
    network = TileNetwork(Marks(), ENTRY._replace(largest_input=largest))
    view = View(picture, Tile(0, 0, max(height, width)), turn)
    (whole,) = network.detect(view, -5)
    empty = View(marked(height, width, 0, 0, 0), *view[1:])
    place = data.draw(st.integers(0, 3))
    views = [view if index == place else empty for index in range(4)]
    found = network.detect_in_sheet(views, -5)
    assert [len(detections) for detections in found] == [index == place for index in range(4)]
    for face in (whole, found[place][0]):
        assert middle(face.frame) == expected
        assert face.frame.width == pytest.approx(2 * 2 * side, abs=side / 2)
        assert face.turn == turn


@pytest.mark.parametrize("largest", [None, 256])
@pytest.mark.parametrize("views", [1, 2, 3, 4])
def test_a_sheet_need_not_be_full(views: int, largest: int | None) -> None:
    runtime = Sizes()
    network = TileNetwork(runtime, ENTRY._replace(largest_input=largest))
    view = View(marked(200, 200, 90, 90, 40), Tile(0, 0, 200))
    assert [len(found) for found in network.detect_in_sheet([view] * views, -5)] == [1] * views
    assert runtime.sizes == [(SIZE, SIZE) if largest is None else (64 * views, 64)]


@pytest.mark.parametrize("size", [96, 112, 128, 160, 192])
@pytest.mark.parametrize("largest", [160, 192, 256])
def test_a_sheet_has_a_size_that_the_network_accepts(size: int, largest: int) -> None:
    runtime = Sizes()
    runtime.input_shape = (size, size, 3)
    entry = ENTRY._replace(input_shape=(size, size, 3), largest_input=largest)
    network = TileNetwork(runtime, entry)
    network.warm_up()
    network.detect_in_sheet([View(marked(200, 200, 90, 90, 40), Tile(0, 0, 200))] * 3, -5)
    for sides in runtime.sizes:
        assert sides == (size, size) or (max(sides) <= largest and not any(s % 32 for s in sides))


def test_what_is_beside_a_sheet_belongs_to_no_view() -> None:
    class Beside(Marks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            boxes, heat = super().run(crops)
            return boxes + np.array([9, 0, 0], np.float32), heat

    network = TileNetwork(Beside(), ENTRY._replace(largest_input=256))
    view = View(marked(200, 200, 90, 90, 40), Tile(0, 0, 200))
    assert network.detect_in_sheet([view] * 3, -5) == [[], [], []]


def test_a_tile_within_a_picture_shows_only_its_part() -> None:
    network = TileNetwork(Marks(), ENTRY)
    picture = marked(300, 400, 150, 250, 40)
    (face,) = network.detect(View(picture, Tile(200, 100, 150), 90), -5)
    assert middle(face.frame) == pytest.approx((2 * 270, 2 * 170), abs=6)
    assert list(network.detect(View(picture, Tile(0, 0, 150), 90), -5)) == []


@settings(max_examples=50)
@given(EXTENTS, EXTENTS, TURNS, st.floats(0.3, 1), st.sampled_from((None, 256, 320)), st.data())
def test_a_pass_finds_a_mark_wherever_it_is(
    height: int, width: int, turn: Turn, share: float, largest: int | None, data: st.DataObject
) -> None:
    longest = max(height, width)
    side = longest // 14  # smaller than the overlap of the smallest tiles
    top, left = data.draw(st.integers(0, height - side)), data.draw(st.integers(0, width - side))
    picture = marked(height, width, top, left, side)
    runtime = Marks()
    network = TileNetwork(runtime, ENTRY._replace(largest_input=largest))
    large = largest is not None
    found = list(network.detect_in_pass(picture, round(share * longest), -5, turn, large=large))
    assert {face.turn for face in found} == {turn}
    expected = pytest.approx((2 * left + side, 2 * top + side, 4 * side), abs=side / 2)
    assert any((*middle(face.frame), face.frame.width) == expected for face in found)


def test_a_larger_input_saves_passes_and_is_not_larger_than_allowed() -> None:
    picture = marked(300, 400, 150, 250, 40)
    calls = {}
    for largest in (None, 192, 256):
        runtime = Sizes()
        network = TileNetwork(runtime, ENTRY._replace(largest_input=largest))
        assert list(network.detect_in_pass(picture, 200, -5, large=True))
        calls[largest] = runtime.sizes
        assert max(map(max, runtime.sizes)) <= (largest or SIZE)
    assert set(calls[None]) == {(SIZE, SIZE)}
    assert len(calls[None]) > len(calls[192]) > len(calls[256]) == 1
    assert calls[256] == [(192, 256)]


class Sizes(Marks):
    """Records the sizes of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        self.sizes.append((crops.shape[1], crops.shape[2]))
        return super().run(crops)
