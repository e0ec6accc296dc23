from __future__ import annotations

import random
from math import isclose, log

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.detection.geometry import (
    Framing,
    correct_frame,
    cut_crop,
    find_central_square,
    map_to_frame,
    sort_main_face_first,
)
from image_gender_classifier.results import Box, Face

Pixels = npt.NDArray[np.uint8]

PICTURE: Pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
PLACES = st.floats(-1e6, 1e6)
SIDES = st.floats(0, 300)
BOXES = st.builds(Box, PLACES, PLACES, SIDES, SIDES)
FRAMINGS = st.builds(Framing, st.floats(0.5, 2), st.floats(-0.5, 0.5))


def square(x: float, y: float, side: float) -> Box:
    return Box(x, y, side, side)


def moved(box: Box, x: float, y: float) -> Box:
    return box._replace(x=box.x + x, y=box.y + y)


def test_the_frame_is_the_box_scaled_about_its_centre_and_moved_down() -> None:
    assert map_to_frame(Box(10, 20, 100, 100), Framing(1.0, 0.0)) == Box(10, 20, 100, 100)
    assert map_to_frame(Box(10, 20, 100, 100), Framing(2.0, 0.0)) == Box(-40, -30, 200, 200)
    assert map_to_frame(Box(10, 20, 100, 100), Framing(1.0, 0.25)) == Box(10, 45, 100, 100)
    assert map_to_frame(Box(0, 0, 100, 25), Framing(1.0, 0.5)) == Box(25, 12.5, 50, 50)


@given(BOXES, FRAMINGS, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_the_frame_moves_with_the_box(box: Box, framing: Framing, x: int, y: int) -> None:
    first = map_to_frame(moved(box, x, y), framing)
    second = moved(map_to_frame(box, framing), x, y)
    assert first.width == first.height == second.width
    assert isclose(first.x, second.x, abs_tol=1e-3)
    assert isclose(first.y, second.y, abs_tol=1e-3)


def test_a_frame_is_corrected_about_its_centre() -> None:
    assert correct_frame(Box(10, 20, 40, 40), 0, 0, 0) == Box(10, 20, 40, 40)
    assert correct_frame(Box(10, 20, 40, 40), 0.25, -0.1, 0) == Box(20, 16, 40, 40)
    larger = correct_frame(Box(10, 20, 40, 40), 0, 0.5, log(1.5))
    assert np.allclose(larger, (0, 30, 60, 60))


@given(BOXES, *(st.floats(-1e9, 1e9),) * 3)
def test_no_correction_loses_a_face(box: Box, right: float, down: float, log_side: float) -> None:
    frame = square(box.x, box.y, box.width)
    corrected = correct_frame(frame, right, down, log_side)
    assert corrected.width <= 2.02 * frame.width
    assert abs(corrected.x - frame.x) <= 1.01 * frame.width + 1e-6


def test_the_whole_picture_is_the_centred_square() -> None:
    assert find_central_square(40, 60) == Box(10, 0, 40, 40)
    assert find_central_square(60, 40) == Box(0, 10, 40, 40)
    assert find_central_square(41, 60) == Box(9.5, 0, 41, 41)


@given(BOXES, st.sampled_from([1, 7, 96]), st.sampled_from([(1, 1), (1, 60), (40, 1), (40, 60)]))
def test_a_crop_of_any_box_has_its_shape(box: Box, size: int, shape: tuple[int, int]) -> None:
    pixels = PICTURE[: shape[0], : shape[1]]
    cut = cut_crop(pixels, square(box.x, box.y, box.width), size)
    assert cut.shape == (size, size, 3)
    assert cut.dtype == np.uint8
    assert cut.flags.c_contiguous
    assert cut_crop(pixels[..., 0], square(box.x, box.y, box.width), size).shape == (size, size)


@given(st.integers(0, 39), st.integers(0, 59), st.integers(1, 40))
def test_a_crop_inside_at_its_own_size_is_a_copy(top: int, left: int, side: int) -> None:
    side = min(side, 40 - top, 60 - left)
    cut = cut_crop(PICTURE, square(left, top, side), side)
    assert np.array_equal(cut, PICTURE[top : top + side, left : left + side])


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(1, 100))
def test_beyond_the_edge_the_edge_is_repeated(left: int, top: int, side: int) -> None:
    padded = np.pad(PICTURE, ((200, 200), (200, 200), (0, 0)), mode="edge")
    expected = padded[top + 200 : top + 200 + side, left + 200 : left + 200 + side]
    assert np.array_equal(cut_crop(PICTURE, square(left, top, side), side), expected)


@given(
    *(st.integers(-50, 50),) * 2, *(st.integers(-80, 80),) * 2, st.integers(1, 90),
    st.sampled_from([8, 32, 64]),
)  # fmt: skip
def test_a_crop_moves_with_the_picture(
    down: int, right: int, x: int, y: int, side: int, size: int
) -> None:
    around = ((100 + down, 100 - down), (100 + right, 100 - right), (0, 0))
    elsewhere = np.pad(PICTURE, around, mode="edge")
    there = cut_crop(elsewhere, square(x + 100 + right, y + 100 + down, side), size)
    assert np.array_equal(cut_crop(PICTURE, square(x, y, side), size), there)


def test_the_whole_square_picture_is_its_own_crop() -> None:
    pixels = PICTURE[:, :40]
    assert np.array_equal(cut_crop(pixels, find_central_square(40, 40), 40), pixels)


def test_shrinking_averages_over_areas() -> None:
    fine = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (48, 48))
    assert (cut_crop(fine, find_central_square(96, 96), 48) == 100).all()
    assert (cut_crop(fine, find_central_square(96, 96), 32) != 0).all()


@given(BOXES, st.sampled_from([5, 96]))
def test_no_new_colours_appear(box: Box, size: int) -> None:
    flat = np.full((20, 30, 3), (10, 200, 90), np.uint8)
    assert (cut_crop(flat, square(box.x, box.y, box.width), size) == (10, 200, 90)).all()


def face(x: float, y: float, side: float, height: float | None = None) -> Face:
    return Face(Box(x, y, side, height or side), "lbp")


@pytest.mark.parametrize(
    ("main", "other"),
    [
        (face(40, 40, 20), face(0, 0, 20)),  # as large, closer to the centre
        (face(20, 20, 60), face(45, 45, 10)),  # larger, also at the centre
        (face(10, 10, 60), face(45, 45, 10)),  # much larger
        (face(60, 40, 20), face(70, 40, 20)),
        (face(30, 45, 40, 10), face(45, 45, 10)),
    ],
)
def test_the_main_face_is_large_and_central(main: Face, other: Face) -> None:
    assert sort_main_face_first([main, other], 100, 100) == [main, other]
    assert sort_main_face_first([other, main], 100, 100) == [main, other]


@pytest.mark.parametrize(("score", "first"), [(0.4, "face"), (0.6, "fist"), (0.94, "fist")])
def test_a_large_object_with_a_low_score_is_not_the_main_face(score: float, first: str) -> None:
    small_face = face(40, 20, 20)._replace(score=0.95, detector="face")
    fist = face(40, 60, 30)._replace(score=score, detector="fist")
    assert sort_main_face_first([fist, small_face], 100, 100)[0].detector == first


@given(
    st.lists(st.builds(face, st.floats(0, 50), st.floats(0, 50), st.integers(1, 50)), max_size=6),
    st.randoms(use_true_random=False),
)
def test_sorting_keeps_all_faces_in_any_order(faces: list[Face], chance: random.Random) -> None:
    ordered = sort_main_face_first(faces, 100, 80)
    assert sorted(map(repr, ordered)) == sorted(map(repr, faces))
    shuffled = sort_main_face_first(chance.sample(faces, len(faces)), 100, 80)

    def weights(some: list[Face]) -> list[float]:
        middle = np.hypot(50, 40)
        return [
            one.box.width
            * (1 - np.hypot(one.box.x + one.box.width / 2 - 50, one.box.y + one.box.height / 2 - 40)
               / middle)
            for one in some
        ]  # fmt: skip

    assert np.allclose(weights(ordered), sorted(weights(faces), reverse=True))
    assert np.allclose(weights(ordered), weights(shuffled))


@pytest.mark.parametrize("side", [48.0, 64.0, 90.3, 128.5, 150.2])
def test_a_frame_between_pixels_is_sampled_there(side: float) -> None:
    """In a ramp, each value is that of its position, however much the frame is shrunk."""
    ramp = np.tile(np.arange(240, dtype=np.uint8), (240, 1))
    step = side / 32
    expected = 20.5 + (np.arange(32) + 0.5) * step - 0.5
    across = cut_crop(ramp, square(20.5, 10.25, side), 32).astype(float)
    down = cut_crop(np.ascontiguousarray(ramp.T), square(10.25, 20.5, side), 32).astype(float)
    for found in (across, down.T):
        assert np.abs(found - expected).max() <= 1.1


@pytest.mark.parametrize("side", [70.3, 101.7, 160.4])
@pytest.mark.parametrize(("x", "y"), [(-40.3, 20.6), (90.2, -35.7), (-20.4, 80.1), (88.8, 91.3)])
def test_a_large_frame_beyond_the_edges_is_sampled_there(x: float, y: float, side: float) -> None:
    """Beyond the picture, the ramp goes on as its edge."""
    across = np.tile(np.arange(20, 141, dtype=np.uint8), (113, 1))
    down = np.tile(np.arange(20, 133, dtype=np.uint8), (121, 1)).T
    step = side / 24
    places = (np.arange(24) + 0.5) * step - 0.5
    columns = 20 + np.clip(x + places, 0, 120)
    rows = 20 + np.clip(y + places, 0, 112)
    found_across = cut_crop(across, square(x, y, side), 24).astype(float)
    found_down = cut_crop(np.ascontiguousarray(down), square(x, y, side), 24).astype(float)
    limit = 0.5 + step / 2  # at the edge, a block of pixels stands for its last one
    assert np.abs(found_across - columns).max() <= limit
    assert np.abs(found_down - rows[:, np.newaxis]).max() <= limit


@pytest.mark.parametrize(("period", "contrast"), [(2, 3), (3, 60)])
def test_shrinking_between_pixels_averages_too(period: int, contrast: int) -> None:
    """Stripes that are finer than the crop's pixels nearly disappear."""
    stripes = np.tile(np.where(np.arange(192) % period, 0, 200).astype(np.uint8), (192, 1))
    cut = cut_crop(stripes, square(10.5, 10.5, 150), 36)
    assert int(np.ptp(cut)) <= contrast
