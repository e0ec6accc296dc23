"""Candidates are faces if they cover one that is upright; their labels say where its frame is."""

from __future__ import annotations

from math import exp
from typing import get_args

import numpy as np
import pytest
from fixed_networks import FixedNetwork
from hypothesis import assume, given
from hypothesis import strategies as st
from marks import REFINER_ENTRY, REFINER_SIZE

from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.detection.turning import turn_box_back, turn_pixels
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.train.refiner.labels import (
    Label,
    label_candidate,
    move_label,
    turn_box,
)

TURNS: tuple[Turn, ...] = get_args(Turn)
WIDTH, HEIGHT = 400, 300
turns = st.sampled_from(TURNS)
shifts = st.floats(-0.2, 0.2)
log_sides = st.floats(-0.3, 0.3)
sides = st.floats(60, 120)


def square(x: float, y: float, side: float) -> Box:
    """A square by its centre."""
    return Box(x - side / 2, y - side / 2, side, side)


def move(box: Box, right: float, down: float, log_side: float) -> Box:
    """A square moved by fractions of its side, and enlarged around its centre."""
    x, y = box.x + (0.5 + right) * box.width, box.y + (0.5 + down) * box.width
    return square(x, y, exp(log_side) * box.width)


def label(candidate: Box, *frames: Box, turn: Turn = 0) -> Label:
    """The label of a candidate that was found in the turn in which the picture is upright."""
    return label_candidate(Detection(candidate, 0.0, turn), frames, turn, WIDTH, HEIGHT)


@given(turns, st.integers(4, 60), st.integers(4, 60), st.data())
def test_a_turned_box_is_where_its_pixels_are(
    turn: Turn, height: int, width: int, data: st.DataObject
) -> None:
    top, left = data.draw(st.integers(0, height - 2)), data.draw(st.integers(0, width - 3))
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top : top + 2, left : left + 3] = 255
    rows, columns = np.nonzero(turn_pixels(pixels, turn)[..., 0])
    x, y = columns.min(), rows.min()
    expected = Box(x, y, columns.max() + 1 - x, rows.max() + 1 - y)
    assert turn_box(Box(left, top, 3, 2), turn, width, height) == expected


@given(
    st.builds(Box, *[st.floats(-500, 500)] * 2, *[st.floats(0, 500)] * 2),
    turns,
    st.integers(1, 900),
    st.integers(1, 900),
)
def test_turning_a_box_and_turning_it_back_are_inverse(
    box: Box, turn: Turn, width: int, height: int
) -> None:
    turned = turn_box(box, turn, width, height)
    assert turn_box_back(turned, turn, width, height) == pytest.approx(box, abs=1e-9)
    original = turn_box_back(box, turn, width, height)
    assert turn_box(original, turn, width, height) == pytest.approx(box, abs=1e-9)


@given(sides, shifts, shifts, log_sides, turns)
def test_corrections_are_relative_to_the_turn_of_the_candidate(
    side: float, right: float, down: float, log_side: float, turn: Turn
) -> None:
    seen = square(170, 120, side)  # in the turned picture
    candidate, frame = (
        turn_box_back(box, turn, WIDTH, HEIGHT) for box in (seen, move(seen, right, down, log_side))
    )
    found = label(candidate, frame, turn=turn)
    assert found.has_frame
    assert (found.right, found.down, found.log_side) == pytest.approx(
        (right, down, log_side), abs=1e-9
    )


@given(sides, shifts, shifts, log_sides, turns)
def test_the_refiner_maps_the_label_to_the_true_frame(
    side: float, right: float, down: float, log_side: float, turn: Turn
) -> None:
    """Training and inference agree about them."""
    frame = square(180, 140, side)
    candidate = Detection(move(frame, right, down, log_side), 0.0, turn)
    found = label_candidate(candidate, [frame], turn, WIDTH, HEIGHT)

    taught = FixedNetwork(REFINER_SIZE, [[0]], [[found.right, found.down, found.log_side]])
    picture = Picture(np.zeros((HEIGHT, WIDTH, 3), np.uint8), WIDTH, HEIGHT)
    refined = FaceRefiner(taught, REFINER_ENTRY).refine(picture, candidate)
    assert refined.frame == pytest.approx(frame, abs=1e-3)


@given(sides, shifts, shifts, log_sides, shifts, shifts, log_sides, turns)
def test_a_moved_candidate_has_the_moved_label(
    side: float,
    right: float,
    down: float,
    log_side: float,
    x: float,
    y: float,
    log_scale: float,
    turn: Turn,
) -> None:
    seen = square(170, 120, side)  # in the turned picture
    frame, candidate, moved = (
        turn_box_back(box, turn, WIDTH, HEIGHT)
        for box in (move(seen, x, y, log_scale), seen, move(seen, right, down, log_side))
    )
    expected = label(moved, frame, turn=turn)
    assume(expected.has_frame)
    found = move_label(label(candidate, frame, turn=turn), right, down, log_side)
    assert found[1:] == pytest.approx(expected[1:], abs=1e-9)


def test_moving_a_candidate_does_not_change_what_it_shows() -> None:
    for known in (Label(True, has_frame=True), Label(None, 0.3), Label(False)):
        moved = move_label(known, 0.1, 0.1, 0.1)
        assert (moved.is_face, moved.has_frame) == (known.is_face, known.has_frame)


@pytest.mark.parametrize(
    ("right", "is_face", "has_frame"),
    [
        (0.0, True, True),
        (0.4, True, True),  # IoU 0.43
        (0.46, None, True),  # 0.37
        (0.58, None, True),  # 0.27
        (0.62, None, False),  # 0.23
        (0.7, False, False),  # 0.18
        (3.0, False, False),
    ],
)
@pytest.mark.parametrize("turn", TURNS)
def test_partial_overlaps_have_no_label_but_a_frame(
    right: float, is_face: bool | None, has_frame: bool, turn: Turn
) -> None:
    frame = square(150, 150, 80)
    found = label(move(frame, right, 0, 0), frame, turn=turn)
    assert (found.is_face, found.has_frame) == (is_face, has_frame)


@pytest.mark.parametrize("side", [30, 130])
def test_a_frame_of_another_size_is_no_face(side: float) -> None:
    """Each contains the other; the IoU is that of the areas."""
    large, small = square(150, 150, 130), square(150, 150, 30)
    candidate, frame = (small, large) if side == 30 else (large, small)
    assert label(candidate, frame) == Label(is_face=False)


@pytest.mark.parametrize("upright", TURNS)
@pytest.mark.parametrize("turn", TURNS)
def test_a_face_that_is_not_upright_is_no_face(turn: Turn, upright: Turn) -> None:
    frame = square(150, 150, 80)
    found = label_candidate(Detection(frame, 0.0, turn), [frame], upright, WIDTH, HEIGHT)
    expected = Label(is_face=True, has_frame=True) if turn == upright else Label(is_face=False)
    assert found == expected


def test_without_faces_a_candidate_is_no_face() -> None:
    assert label(square(150, 150, 80)) == Label(is_face=False)


@pytest.mark.parametrize("order", [1, -1])
def test_the_label_is_that_of_the_most_overlapping_face(order: int) -> None:
    near, far = square(155, 150, 80), square(190, 150, 90)
    found = label(square(150, 150, 80), *(near, far)[::order])
    assert found == Label(True, right=5 / 80, has_frame=True)
