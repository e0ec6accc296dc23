"""Views show a candidate as inference does, moved as their moves say."""

from __future__ import annotations

from cmath import rect
from itertools import product
from math import exp, radians
from typing import get_args

import cv2
import numpy as np
import pytest
from fixed_networks import FixedNetwork
from hypothesis import given
from hypothesis import strategies as st
from marks import REFINER_ENTRY, REFINER_SIZE

from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.geometry import Framing, cut_crop, map_to_frame
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.train.refiner.candidates import PATCH_SIDE, REACH
from image_gender_classifier.train.refiner.views import (
    MARGIN,
    Move,
    alter,
    draw_view,
    sample_move,
)

FRAME = PATCH_SIDE / REACH  # side of the candidate's frame in its patch
moves = st.builds(
    Move,
    *[st.floats(-0.1, 0.1)] * 2,
    st.floats(-0.15, 0.15),
    st.floats(-40, 40),
    st.booleans(),
)


def dot(x: float, y: float) -> Pixels:
    """A patch with a bright dot, at a distance from its centre in sides of the frame."""
    rows, columns = np.indices((PATCH_SIDE, PATCH_SIDE)) - (PATCH_SIDE - 1) / 2
    squares = (columns - x * FRAME) ** 2 + (rows - y * FRAME) ** 2
    return np.repeat(255 * np.exp(-squares / 4)[..., np.newaxis], 3, axis=-1).astype(np.uint8)


def noise(height: int, width: int) -> Pixels:
    coarse = np.random.default_rng(0).integers(0, 256, (height // 10, width // 10, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def cut_patch(pixels: Pixels, candidate: Detection) -> Pixels:
    square = map_to_frame(candidate.frame, Framing(REACH, shift_y=0.0))
    return turn_pixels(cut_crop(pixels, square, PATCH_SIDE), candidate.turn)


@given(st.floats(-0.17, 0.17), st.floats(-0.17, 0.17), moves, st.sampled_from((48, 64)))
def test_a_move_shifts_rotates_and_mirrors_a_view(
    x: float, y: float, move: Move, size: int
) -> None:
    """First it moves against the view, then it turns clockwise, then it is mirrored."""
    place = (complex(x, y) - complex(move.right, move.down)) / exp(move.log_side)
    place *= rect(1, radians(move.degrees))
    if move.mirrored:
        place = complex(-place.real, place.imag)
    view = draw_view(dot(x, y), size, move).astype(float)[..., 0]
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    seen = (view * columns).sum() / view.sum(), (view * rows).sum() / view.sum()
    frame = size / MARGIN
    assert seen == pytest.approx((place.real * frame, place.imag * frame), abs=0.4)


@pytest.mark.parametrize("turn", get_args(Turn))
@pytest.mark.parametrize("side", [62.3, 110.9])
def test_an_unmoved_view_equals_the_input_of_the_refiner(turn: Turn, side: float) -> None:
    network = FixedNetwork(REFINER_SIZE, [[0]], [[0, 0, 0]])
    pixels = noise(300, 400)
    candidate = Detection(Box(140.3, 80.8, side, side), 0.0, turn)
    entry = REFINER_ENTRY._replace(margin=MARGIN)
    FaceRefiner(network, entry).refine(Picture(pixels, 400, 300), candidate)
    patch = cut_patch(pixels, candidate)
    unmoved, moved = (
        np.abs(draw_view(patch, REFINER_SIZE, move).astype(float) - network.seen[0]).mean()
        for move in (Move(), Move(right=0.04))
    )
    assert unmoved < 4
    assert moved > 2.5 * unmoved


def test_edge_pixels_are_repeated_beyond_a_patch() -> None:
    patch = np.full((PATCH_SIDE, PATCH_SIDE, 3), 90, np.uint8)
    assert (draw_view(patch, 64, Move(0.5, -0.5, 0.4, 45.0)) == 90).all()


def test_possible_faces_are_neither_tilted_nor_mirrored() -> None:
    drawn = [sample_move(True, np.random.default_rng(seed)) for seed in range(50)]
    assert {(move.degrees, move.mirrored) for move in drawn} == {(0.0, False)}


@pytest.mark.parametrize("is_face", [True, False])
def test_moves_are_small_in_all_directions(is_face: bool) -> None:
    random = np.random.default_rng(1)
    drawn = [sample_move(is_face, random) for _ in range(300)]
    numbers = np.array([move[:3] for move in drawn])
    assert np.abs(numbers.mean(axis=0)).max() < 0.02
    assert numbers.std(axis=0).min() > 0.03
    assert np.abs(numbers).max() < 0.4
    for signs in product((1, -1), repeat=2):
        assert (numbers[:, :2] * signs > 0).all(axis=1).any()


def test_other_candidates_are_tilted_and_half_are_mirrored() -> None:
    random = np.random.default_rng(2)
    drawn = [sample_move(False, random) for _ in range(300)]
    assert 0.4 < np.mean([move.mirrored for move in drawn]) < 0.6
    assert 5 < np.std([move.degrees for move in drawn]) < 15
    assert abs(np.mean([move.degrees for move in drawn])) < 2


def test_altered_views_resemble_the_original() -> None:
    view = noise(60, 60)
    kept = view.copy()
    random = np.random.default_rng(3)
    altered = [alter(view, random) for _ in range(200)]
    assert np.array_equal(view, kept)
    assert {(one.shape, one.dtype) for one in altered} == {((60, 60, 3), np.dtype(np.uint8))}
    assert 0.25 < np.mean([np.array_equal(one, view) for one in altered]) < 0.55
    assert 0.04 < np.mean([np.ptp(one, axis=-1).max() == 0 for one in altered]) < 0.2
    likeness = [np.corrcoef(view.mean(-1).ravel(), one.mean(-1).ravel())[0, 1] for one in altered]
    assert min(likeness) > 0.85


def test_moves_and_alterations_depend_only_on_the_random_generator() -> None:
    view = noise(60, 60)

    def draw(seed: int) -> tuple[Move, bytes]:
        random = np.random.default_rng(seed)
        return sample_move(False, random), alter(view, random).tobytes()

    assert draw(5) == draw(5)
    assert draw(5)[0] != draw(6)[0]
    assert len({draw(seed)[1] for seed in range(10)}) > 3
