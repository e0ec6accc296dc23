"""Lookalikes are made of a face's skin, have an outline where they need one, and differ."""

from __future__ import annotations

import numpy as np
import pytest

from image_gender_classifier.train.detector.lookalikes import draw_lookalike


@pytest.mark.parametrize("side", [64, 128])
def test_lookalikes_are_square_and_have_the_colour_of_the_face(side: int) -> None:
    face = np.full((side, side, 3), (200, 120, 60), np.uint8)
    outlined = 0
    for seed in range(80):
        pixels, mask = draw_lookalike(face, np.random.default_rng(seed))
        assert pixels.dtype == np.uint8
        assert pixels.shape[0] == pixels.shape[1]
        seen = pixels if mask is None else pixels[mask > 0.9]
        red, _, blue = seen.reshape(-1, 3).mean(axis=0)
        assert red > blue
        if mask is not None:
            outlined += 1
            assert mask.shape == pixels.shape[:2]
            assert 0 <= mask.min() < 0.05
            assert 0.9 < mask.max() <= 1.001
    assert 15 < outlined < 65


def test_the_face_is_not_modified() -> None:
    face = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    before = face.copy()
    for seed in range(40):
        draw_lookalike(face, np.random.default_rng(seed))
    assert np.array_equal(face, before)


def test_no_lookalike_is_the_upright_face() -> None:
    """The top of the face is white; no lookalike has it on top and the rest below."""
    face = np.zeros((128, 128, 3), np.uint8)
    face[:64] = 255
    for seed in range(120):
        pixels, mask = draw_lookalike(face, np.random.default_rng(seed))
        if mask is None and len(pixels) == len(face):
            assert not np.array_equal(pixels, face)
