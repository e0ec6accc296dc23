"""Augmentation must be repeatable and must never fail: it runs millions of times unattended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_gender_classifier.faces import Pixels
from image_gender_classifier.train.augment import augment

STORED = 64


def noise(seed: int = 0, low: int = 0, high: int = 256, size: int = STORED) -> Pixels:
    return np.random.default_rng(seed).integers(low, high, (size, size, 3), np.uint8)


def augmented(crop: Pixels, seed: int, size: int = 48) -> Pixels:
    return augment(crop, size, np.random.default_rng(seed))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**63), st.integers(8, STORED))
def test_gives_colour_at_the_size_asked_for(seed: int, size: int) -> None:
    result = augmented(noise(), seed, size)
    assert (result.shape, result.dtype) == ((size, size, 3), np.uint8)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 255), st.integers(1, 3))
def test_never_fails_on_plain_crops(seed: int, level: int, levels: int) -> None:
    crop = noise(1, level, min(level + levels, 256))
    assert augmented(crop, seed).shape == (48, 48, 3)


@pytest.mark.parametrize("level", [0, 255])
def test_never_fails_on_black_or_white(level: int) -> None:
    crop = np.full((128, 128, 3), level, np.uint8)
    for seed in range(200):
        assert augmented(crop, seed, 96).shape == (96, 96, 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**63))
def test_depends_on_crop_and_seed_alone(seed: int) -> None:
    np.random.seed(seed % 1000)
    first = augmented(noise(), seed)
    np.random.seed(seed % 1000 + 1)
    assert np.array_equal(first, augmented(noise(), seed))


def test_every_seed_gives_another_picture() -> None:
    results = {augmented(noise(), seed).tobytes() for seed in range(100)}
    assert len(results) == 100


def test_leaves_the_stored_crop_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "crops.npy", noise()[np.newaxis])
    (stored,) = np.load(tmp_path / "crops.npy", mmap_mode="r")
    for seed in range(100):
        augmented(stored, seed)
    assert np.array_equal(np.load(tmp_path / "crops.npy")[0], noise())


def test_leaves_a_writable_crop_of_the_same_size_alone() -> None:
    crop = noise()
    for seed in range(100):
        result = augmented(crop, seed, STORED)
        assert not np.shares_memory(result, crop)
    assert np.array_equal(crop, noise())


def test_mirrors_about_every_second_crop() -> None:
    crop = np.zeros((STORED, STORED, 3), np.uint8)
    crop[:, STORED // 2 :] = 255
    results = [augmented(crop, seed).astype(int) for seed in range(400)]
    mirrored = sum(bool(result[:, :24].sum() > result[:, 24:].sum()) for result in results)
    assert 160 < mirrored < 240


def test_stays_close_to_the_crop() -> None:
    """A face must stay what it is: a bright disc in the middle is still there, still bright."""
    crop = np.full((STORED, STORED, 3), 60, np.uint8)
    crop[16:48, 16:48] = 190
    kept = 0
    for seed in range(400):
        result = augmented(crop, seed).mean(axis=2)
        border = np.concatenate([result[:4].ravel(), result[-4:].ravel()])
        kept += bool(result[20:28, 20:28].mean() > border.mean() + 40)
    assert kept > 380
