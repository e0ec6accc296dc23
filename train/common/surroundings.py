"""Hides hair, and all else that surrounds a face: the pixels outside an ellipse."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels

_Mask = npt.NDArray[np.float32]


def make_ellipse_mask(
    side: int, centre: tuple[float, float], half_axes: tuple[float, float], softness: float
) -> _Mask:
    """Makes the mask of an ellipse with a soft edge.

    A sharp edge would itself look like the outline of short hair.

    Args:
        side: Side of the mask in pixels (S).
        centre: Centre of the ellipse (x, y), in fractions of the side.
        half_axes: Half axes of the ellipse (x, y), in fractions of the side.
        softness: Standard deviation of the Gaussian blur of the edge in pixels, above 0.

    Returns:
        float32, S x S x 1: 1 inside, 0 outside.
    """
    grid = (np.arange(side, dtype=np.float32) + 0.5) / side
    across = (grid - np.float32(centre[0])) / np.float32(half_axes[0])
    down = (grid - np.float32(centre[1])) / np.float32(half_axes[1])
    mask = (across[None] ** 2 + down[:, None] ** 2 <= 1).astype(np.float32)
    return cast(_Mask, cv2.GaussianBlur(mask, (0, 0), softness)[..., None])


def replace_surroundings(
    pixels: Pixels, replacement: npt.NDArray[np.uint8] | npt.NDArray[np.float32], mask: _Mask
) -> Pixels:
    """Replaces the pixels outside a mask.

    Args:
        pixels: uint8 RGB, S x S x 3.
        replacement: RGB from 0 to 255, S x S x 3 or one colour (3).
        mask: float32, S x S x 1, as `make_ellipse_mask` makes it.

    Returns:
        uint8 RGB, S x S x 3.
    """
    mixed = pixels * mask + replacement * (1 - mask)
    return cast(Pixels, (mixed + np.float32(0.5)).astype(np.uint8))


def blur_pixels(pixels: Pixels, deviation: float) -> Pixels:
    """Blurs pixels.

    Args:
        pixels: uint8 RGB, S x S x 3.
        deviation: Standard deviation of the Gaussian in pixels.

    Returns:
        uint8 RGB, S x S x 3.
    """
    return cast(Pixels, cv2.GaussianBlur(pixels, (0, 0), deviation))


def compute_mean_colour(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Computes the mean colour of pixels (uint8 RGB, S x S x 3): float32 RGB, 0 to 255."""
    colour: npt.NDArray[np.float32] = pixels.reshape(-1, 3).mean(axis=0, dtype=np.float32)
    return colour
