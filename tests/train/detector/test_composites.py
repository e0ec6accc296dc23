"""A composite holds the whole face where it says, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector.composites import (
    LONGEST,
    add_to_picture,
    compose_picture,
)

FACE = np.full((128, 128, 3), 255, np.uint8)


def background(height: int, width: int) -> Pixels:
    return np.zeros((height, width, 3), np.uint8)


@settings(max_examples=30)
@given(st.integers(20, 600), st.integers(20, 600), st.floats(0.05, 1.0), st.integers(0, 2**32 - 1))
def test_the_face_is_in_its_frame(height: int, width: int, share: float, seed: int) -> None:
    pixels, frame = compose_picture(
        FACE, background(height, width), share, np.random.default_rng(seed)
    )
    assert max(pixels.shape[:2]) == LONGEST
    assert frame.width == frame.height == round(share * LONGEST)
    assert 0 <= frame.x <= pixels.shape[1] - frame.width
    assert 0 <= frame.y <= pixels.shape[0] - frame.height
    bright = pixels[..., 0] > 0
    top, left, side = int(frame.y), int(frame.x), int(frame.width)
    inside = pixels[top : top + side, left : left + side]
    assert bright.sum() == (inside[..., 0] > 0).sum()
    assert (inside[side // 4 : -side // 4, side // 4 : -side // 4] > 127).all()
    # Most of the square is seen, and never all: the outline must not tell the frame.
    assert 0.4 < (inside[..., 0] > 127).mean() < 1


def test_a_background_is_stretched_only_if_the_face_would_not_fit() -> None:
    random = np.random.default_rng(1)
    assert compose_picture(FACE, background(90, 240), 0.15, random)[0].shape == (120, 320, 3)
    assert compose_picture(FACE, background(90, 240), 1.0, random)[0].shape == (320, 320, 3)


def test_the_same_seed_gives_the_same_composite() -> None:
    first, second = (
        compose_picture(FACE, background(200, 300), 0.3, np.random.default_rng(5)) for _ in range(2)
    )
    assert np.array_equal(first[0], second[0])
    assert first[1] == second[1]


def test_outlines_vary() -> None:
    whole = background(LONGEST, LONGEST)
    shown = [compose_picture(FACE, whole, 1.0, np.random.default_rng(seed))[0] for seed in range(5)]
    shares = [(pixels > 127).mean() for pixels in shown]
    assert max(shares) - min(shares) > 0.01


def test_the_background_is_not_modified() -> None:
    given_pixels = background(LONGEST, LONGEST)
    compose_picture(FACE, given_pixels, 0.5, np.random.default_rng(0))
    assert not given_pixels.any()


@pytest.mark.parametrize("share", [0.0001, 1.0])
def test_the_smallest_and_the_largest_face_can_be_composed(share: float) -> None:
    _, frame = compose_picture(FACE, background(10, 10), share, np.random.default_rng(0))
    assert frame.width == max(round(share * LONGEST), 1)


def test_an_addition_is_smaller_and_beside_the_face() -> None:
    changed = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        pixels = np.zeros((240, LONGEST, 3), np.uint8)
        main = Box(100, 60, 100, 100)
        add_to_picture(pixels, main, np.full((64, 64, 3), 200, np.uint8), None, random)
        rows, columns = np.nonzero(pixels[..., 0])
        if not len(rows):
            continue
        changed += 1
        assert np.ptp(rows) < 0.7 * main.width
        assert np.ptp(columns) < 0.7 * main.width
        assert not pixels[60:160, 100:200].any()
    assert changed > 15


def test_nothing_is_added_without_free_space() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    random = np.random.default_rng(0)
    add_to_picture(pixels, Box(0, 0, 100, 100), np.full((64, 64, 3), 200, np.uint8), None, random)
    assert not pixels.any()
