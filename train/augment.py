"""Random changes of a crop that a face in use may show as well.

Geometry follows what detectors' boxes really do (side 0.87 to 1.13, centre within 4%), light and
quality follow profile pictures: dim rooms, small uploads enlarged again, strong JPEG. Each sample
draws from a generator of its own, seeded by run, epoch and position, so that a resumed run sees
the same pictures as an uninterrupted one.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from image_gender_classifier.faces import Pixels

_Random = np.random.Generator


def augment(crop: Pixels, size: int, random: _Random) -> Pixels:
    """Draws one augmented version of a crop.

    Args:
        crop: uint8 RGB, S x S x 3, at the stored size.
        size: Side of the result in pixels, at most S.
        random: Where the randomness comes from.

    Returns:
        uint8 RGB, size x size x 3.
    """
    warped = _move(crop, random)
    pixels = cast(Pixels, cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA))
    if random.random() < 0.15:
        pixels = _shrink(pixels, random)
    pixels = _light(pixels, random)
    if random.random() < 0.1:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = cast(Pixels, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))
    if random.random() < 0.1:
        pixels = cast(Pixels, cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.6)))
    if random.random() < 0.1:
        pixels = _noise(pixels, random)
    if random.random() < 0.2:
        pixels = _compress(pixels, random)
    if random.random() < 0.2:
        _erase(pixels, random)
    return pixels


def _move(crop: Pixels, random: _Random) -> Pixels:
    """Mirrors, turns, scales and shifts; the edge is repeated as in use."""
    side = crop.shape[0]
    centre = (side - 1) / 2
    scale = np.exp(random.normal(0, 0.07))
    angle = random.normal(0, 8) if random.random() < 0.8 else random.uniform(-30, 30)
    matrix = cv2.getRotationMatrix2D((centre, centre), angle, scale)
    matrix[:, 2] += random.normal(0, 0.03, 2) * side
    if random.random() < 0.5:
        matrix = matrix @ np.array([[-1, 0, side - 1], [0, 1, 0], [0, 0, 1.0]])
    moved = cv2.warpAffine(
        crop, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Pixels, moved)


def _shrink(pixels: Pixels, random: _Random) -> Pixels:
    """Loses the detail that a small upload never had."""
    size = pixels.shape[0]
    small = round(size * random.uniform(0.2, 0.7))
    reduced = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
    return cast(Pixels, cv2.resize(reduced, (size, size), interpolation=cv2.INTER_LINEAR))


def _light(pixels: Pixels, random: _Random) -> Pixels:
    """Changes exposure, contrast, gamma and the colour of the light through one table."""
    levels = np.linspace(0, 1, 256)
    curve = levels ** np.exp(random.normal(0, 0.2))
    contrast, brightness = np.exp(random.normal(0, 0.15)), random.normal(0, 0.04)
    gains = np.exp(random.normal(0, 0.08, 3))
    table = (((curve - 0.5) * contrast + 0.5)[:, None] * gains + brightness) * 255
    lookup = np.clip(table, 0, 255).astype(np.uint8)[None]
    return cast(Pixels, cv2.LUT(pixels, lookup))


def _noise(pixels: Pixels, random: _Random) -> Pixels:
    grain = random.normal(0, random.uniform(2, 14), pixels.shape)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def _compress(pixels: Pixels, random: _Random) -> Pixels:
    quality = int(random.integers(15, 75))
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cast(Pixels, cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(decoded[..., ::-1])


def _erase(pixels: Pixels, random: _Random) -> None:
    """Covers a rectangle in place, as a hand, a cup or a mask would."""
    size = pixels.shape[0]
    height, width = (random.uniform(0.1, 0.35, 2) * size).astype(int)
    top, left = int(random.integers(size - height)), int(random.integers(size - width))
    pixels[top : top + height, left : left + width] = random.integers(0, 256, 3)
