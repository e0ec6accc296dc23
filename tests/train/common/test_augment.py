"""Augmentation must be repeatable and must never fail: it runs millions of times unattended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common.augment import (
    degrade_randomly,
    hide_hair_randomly,
    transform_randomly,
)

STORED = 64


def noise(seed: int = 0, low: int = 0, high: int = 256, size: int = STORED) -> Pixels:
    return np.random.default_rng(seed).integers(low, high, (size, size, 3), np.uint8)


def augmented(crop: Pixels, seed: int, size: int = 48) -> Pixels:
    random = np.random.default_rng(seed)
    return degrade_randomly(transform_randomly(crop, size, random), random)


@dataclass(frozen=True)
class Geometry:
    """Where a move put a crop: shifts are in shares of its side, angles in degrees."""

    scale: float
    angle: float
    shift: tuple[float, float]
    mirrored: bool


def geometry(seed: int, size: int = 96) -> Geometry:
    """Measures a move on a crop whose red and green say the column and the row."""
    side = 128
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    crop = np.stack([columns * 2, rows * 2, np.zeros_like(rows)], axis=2).astype(np.uint8)
    moved = transform_randomly(crop, size, np.random.default_rng(seed))[..., :2] / 2
    inside = ((moved > 2) & (moved < side - 3)).all(axis=2)
    to_row, to_column = np.nonzero(inside)
    placed = (np.stack([to_column, to_row], axis=1) - (size - 1) / 2) / size
    source = (moved[inside] - (side - 1) / 2) / side
    known = np.column_stack([source, np.ones(len(source))])
    (across, down, shift) = np.linalg.lstsq(known, placed, rcond=None)[0]
    mirrored = across[0] * down[1] - across[1] * down[0] < 0
    return Geometry(
        scale=float(np.hypot(*down)),
        angle=float(np.degrees(np.arctan2(down[0], down[1]))),
        shift=(float(shift[0]), float(shift[1])),
        mirrored=bool(mirrored),
    )


@pytest.fixture(scope="module")
def geometries() -> list[Geometry]:
    return [geometry(seed) for seed in range(400)]


@settings(max_examples=150)
@given(st.integers(0, 2**63), st.integers(8, STORED))
def test_the_result_is_rgb_of_the_requested_size(seed: int, size: int) -> None:
    result = augmented(noise(), seed, size)
    assert result.shape == (size, size, 3)
    assert result.dtype == np.uint8


@settings(max_examples=200)
@given(st.integers(0, 2**63), st.integers(0, 255), st.integers(1, 3))
def test_plain_crops_can_be_augmented(seed: int, level: int, levels: int) -> None:
    crop = noise(1, level, min(level + levels, 256))
    assert augmented(crop, seed).shape == (48, 48, 3)


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_crops_can_be_augmented(level: int) -> None:
    crop = np.full((128, 128, 3), level, np.uint8)
    for seed in range(200):
        assert augmented(crop, seed, 96).shape == (96, 96, 3)


@settings(max_examples=60)
@given(st.integers(0, 2**63))
def test_augmentation_depends_only_on_crop_and_seed(seed: int) -> None:
    np.random.seed(seed % 1000)
    first = augmented(noise(), seed)
    np.random.seed(seed % 1000 + 1)
    assert np.array_equal(first, augmented(noise(), seed))


@pytest.mark.parametrize("change", [transform_randomly, degrade_randomly])
def test_every_seed_gives_a_different_picture(change: object) -> None:
    def changed(seed: int) -> bytes:
        random = np.random.default_rng(seed)
        pixels = (
            transform_randomly(noise(), 48, random)
            if change is transform_randomly
            else degrade_randomly(noise(), random)
        )
        return pixels.tobytes()

    assert len({changed(seed) for seed in range(100)}) == 100


def test_the_stored_crop_is_not_modified(tmp_path: Path) -> None:
    np.save(tmp_path / "crops.npy", noise()[np.newaxis])
    (stored,) = np.load(tmp_path / "crops.npy", mmap_mode="r")
    for seed in range(100):
        augmented(stored, seed)
    assert np.array_equal(np.load(tmp_path / "crops.npy")[0], noise())


def test_a_writable_crop_of_the_same_size_is_not_modified() -> None:
    crop = noise()
    for seed in range(100):
        result = augmented(crop, seed, STORED)
        assert not np.shares_memory(result, crop)
    assert np.array_equal(crop, noise())


@settings(max_examples=100)
@given(st.integers(0, 2**63))
def test_the_transformation_is_the_same_at_every_size(seed: int) -> None:
    """A teacher and a student of different sizes see the same face in the same place."""
    large_noise = cv2.resize(noise(7, size=6), (128, 128), interpolation=cv2.INTER_CUBIC)
    smooth = np.asarray(large_noise, np.uint8)
    draws = [np.random.default_rng(seed) for _ in range(2)]
    large, small = (
        transform_randomly(smooth, size, draw) for size, draw in zip((96, 64), draws, strict=True)
    )
    shrunk = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small).mean() < 2
    assert draws[0].random() == draws[1].random(), "what is drawn next must be the same too"


def test_about_half_of_the_crops_are_mirrored(geometries: list[Geometry]) -> None:
    assert 160 < sum(geometry.mirrored for geometry in geometries) < 240


def test_scale_and_shift_spread_like_frames_of_detectors(geometries: list[Geometry]) -> None:
    """Sides from 0.87 to 1.13, centres within 4%: about two deviations, and one."""
    scales = np.array([geometry.scale for geometry in geometries])
    shifts = np.array([geometry.shift for geometry in geometries])
    assert np.median(scales) == pytest.approx(1, abs=0.02)
    assert np.mean((scales > 0.87) & (scales < 1.15)) == pytest.approx(0.95, abs=0.03)
    assert np.ptp(scales) < 0.6
    assert shifts.mean(axis=0) == pytest.approx([0, 0], abs=0.01)
    assert shifts.std(axis=0) == pytest.approx([0.03, 0.03], abs=0.006)


def test_rotations_are_small_in_both_directions(geometries: list[Geometry]) -> None:
    angles = np.array([geometry.angle for geometry in geometries])
    assert abs(np.mean(angles)) < 2
    assert 6 < np.std(angles) < 14
    assert np.abs(angles).max() < 45


def test_pixels_beyond_the_edge_are_repeated() -> None:
    """No invented black corners: a plain crop stays plain wherever it is moved."""
    crop = np.full((STORED, STORED, 3), (200, 100, 50), np.uint8)
    for seed in range(100):
        moved = transform_randomly(crop, 48, np.random.default_rng(seed))
        assert np.array_equal(moved, np.full((48, 48, 3), (200, 100, 50)))


def test_augmentation_keeps_the_face_recognisable() -> None:
    """A face must stay what it is: a bright disc in the middle is still there, still bright."""
    crop = np.full((STORED, STORED, 3), 60, np.uint8)
    crop[16:48, 16:48] = 190
    kept = 0
    for seed in range(400):
        result = augmented(crop, seed).mean(axis=2)
        border = np.concatenate([result[:4].ravel(), result[-4:].ravel()])
        kept += bool(result[20:28, 20:28].mean() > border.mean() + 40)
    assert kept > 380


def test_hiding_hair_keeps_the_face() -> None:
    """Of a black face in white hair the face stays; of the hair, most is gone in most crops."""
    crop = np.full((STORED, STORED, 3), 255, np.uint8)
    crop[20:44, 22:42] = 0
    other = np.zeros_like(crop)
    gone = 0
    for seed in range(200):
        hidden = hide_hair_randomly(crop, lambda: other, np.random.default_rng(seed))
        assert hidden.shape == crop.shape
        assert hidden.dtype == np.uint8
        assert hidden[26:38, 27:37].max() <= 2
        corners = hidden[[0, 0, -1, -1], [0, -1, 0, -1]]
        gone += bool((corners < 250).any())
    assert gone > 100


@settings(max_examples=100)
@given(st.integers(0, 2**63), st.integers(16, STORED))
def test_hiding_hair_depends_only_on_crop_and_seed(seed: int, size: int) -> None:
    crop, other = noise(1, size=size), noise(2, size=size)
    kept = crop.copy()
    first, second = (
        hide_hair_randomly(crop, lambda: other, np.random.default_rng(seed)) for _ in range(2)
    )
    assert np.array_equal(first, second)
    assert np.array_equal(crop, kept)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 200, 3), (200, 2, 3)])
def test_degrades_pictures_of_one_row_or_column(shape: tuple[int, int, int]) -> None:
    for seed in range(300):
        pixels = np.full(shape, 128, np.uint8)
        assert degrade_randomly(pixels, np.random.default_rng(seed)).shape == shape
