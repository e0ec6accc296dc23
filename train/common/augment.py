"""Random augmentation of face crops and pictures.

Scale and shift (standard deviations of 7% and 3% of the side) are at least as large as the frame
errors of the face detector (docs/detection.md); rotation imitates tilted heads. Light and quality
imitate user avatars: dim rooms, small uploads enlarged, strong JPEG compression.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common import quality, surroundings

_Random = np.random.Generator


def transform_randomly(crop: Pixels, size: int, random: _Random) -> Pixels:
    """Flips (horizontally), rotates, scales and shifts a crop randomly, and resizes it.

    Pixels beyond the crop's edges are replicated edge pixels. The transformation does not depend on
    `size`, so teacher and student see the same view at different input sizes.

    Args:
        crop: uint8 RGB, S x S x 3.
        size: Side of the result in pixels, at most S.
        random: The random generator.

    Returns:
        The transformed crop, uint8 RGB, size x size x 3.
    """
    scale = np.exp(random.normal(0, 0.07))
    angle = random.normal(0, 8) if random.random() < 0.8 else random.uniform(-30, 30)
    shift = random.normal(0, 0.03, 2)
    flip = -1 if random.random() < 0.5 else 1
    zoom = scale * size / crop.shape[0]
    cos, sin = zoom * np.cos(np.radians(angle)), zoom * np.sin(np.radians(angle))
    linear = np.array([[cos * flip, sin], [-sin * flip, cos]])
    centre, target = (crop.shape[0] - 1) / 2, (size - 1) / 2
    offset = target + shift * size - linear @ (centre, centre)
    moved = cv2.warpAffine(
        crop,
        np.column_stack([linear, offset]),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cast(Pixels, moved)


def hide_hair_randomly(
    pixels: Pixels, render_other: Callable[[], Pixels], random: _Random
) -> Pixels:
    """Hides hair and clothes: replaces everything outside a random ellipse in a crop.

    The replacement is the blurred crop, its mean colour, any colour, or another crop, so that the
    network cannot rely on it. The edge can be sharp or soft: a network that has only seen sharp
    edges takes a soft one for short hair.

    Args:
        pixels: uint8 RGB, S x S x 3.
        render_other: Returns another crop of the same size; called only if it is used.
        random: The random generator.

    Returns:
        uint8 RGB, S x S x 3.
    """
    side = len(pixels)
    centre = tuple(random.normal(0.5, 0.02, 2))
    half_axes = random.uniform(0.24, 0.40), random.uniform(0.30, 0.48)
    softness = random.uniform(0.002, 0.037) * side
    mask = surroundings.make_ellipse_mask(side, centre, half_axes, softness)
    kind = random.random()
    around: Pixels | npt.NDArray[np.float32]
    if kind < 0.45:
        around = surroundings.blur_pixels(pixels, random.uniform(0.07, 0.24) * side)
    elif kind < 0.70:
        around = surroundings.compute_mean_colour(pixels)
    elif kind < 0.82:
        around = random.integers(0, 256, 3).astype(np.float32)
    else:
        around = render_other()
    return surroundings.replace_surroundings(pixels, around, mask)


def degrade_randomly(pixels: Pixels, random: _Random) -> Pixels:
    """Degrades a picture randomly: resolution, light, colour, blur, noise, JPEG, random erasing.

    Args:
        pixels: uint8 RGB, H x W x 3; may be modified in place.
        random: The random generator.

    Returns:
        The degraded picture, uint8 RGB, H x W x 3.
    """
    if random.random() < 0.15:
        pixels = _shrink_and_enlarge(pixels, random)
    pixels = _change_light(pixels, random)
    if random.random() < 0.1:
        pixels = quality.convert_to_grey(pixels)
    if random.random() < 0.1:
        pixels = cast(Pixels, cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.6)))
    if random.random() < 0.1:
        pixels = _add_noise(pixels, random)
    if random.random() < 0.2:
        pixels = quality.compress_jpeg(pixels, int(random.integers(15, 75)))
    if random.random() < 0.2:
        _erase_rectangle(pixels, random)
    return pixels


def _shrink_and_enlarge(pixels: Pixels, random: _Random) -> Pixels:
    """Downscales a picture and upscales it again, to imitate an enlarged small upload."""
    height, width = pixels.shape[:2]
    scale = random.uniform(0.2, 0.7)
    reduced = quality.shrink_pixels(
        pixels, max(round(height * scale), 1), max(round(width * scale), 1)
    )
    return cast(Pixels, cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR))


def _change_light(pixels: Pixels, random: _Random) -> Pixels:
    """Changes gamma, contrast, brightness and colour balance randomly, with one lookup table."""
    levels = np.linspace(0, 1, 256)
    curve = levels ** np.exp(random.normal(0, 0.2))
    contrast, brightness = np.exp(random.normal(0, 0.15)), random.normal(0, 0.04)
    gains = np.exp(random.normal(0, 0.08, 3))
    table = (((curve - 0.5) * contrast + 0.5)[:, None] * gains + brightness) * 255
    lookup = np.clip(table, 0, 255).astype(np.uint8)[None]
    return cast(Pixels, cv2.LUT(pixels, lookup))


def _add_noise(pixels: Pixels, random: _Random) -> Pixels:
    """Adds Gaussian noise of a random standard deviation."""
    grain = random.normal(0, random.uniform(2, 14), pixels.shape)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def _erase_rectangle(pixels: Pixels, random: _Random) -> None:
    """Fills a random rectangle with one colour, in place, to imitate a hand or a face mask.

    The rectangle does not reach the last row and column: another range of random numbers would
    change the training of the shipped models.
    """
    extent = np.array(pixels.shape[:2])
    height, width = (random.uniform(0.1, 0.35, 2) * extent).astype(int)
    top, left = (int(random.integers(spare)) for spare in extent - (height, width))
    pixels[top : top + height, left : left + width] = random.integers(0, 256, 3)
