"""Shrinking that costs next to nothing beside what follows it."""

from __future__ import annotations

from typing import cast

import cv2

from image_gender_classifier.imaging.pixels import Pixels


def halved(pixels: Pixels, side: float) -> tuple[Pixels, int]:
    """Halves a picture until its longest side is less than twice the one given.

    What is left to shrink can be done linearly: together that averages about as well as one step by
    areas, and is many times faster. An odd last row or column is lost.

    Args:
        pixels: uint8, H x W or H x W x C.
        side: The longest side that is wanted in the end, in pixels.

    Returns:
        The smaller picture, and how many of the original's pixels one of it is long.
    """
    factor = 1
    while max(pixels.shape[:2]) >= 2 * side and min(pixels.shape[:2]) > 1:
        height, width = (extent // 2 for extent in pixels.shape[:2])
        even = pixels[: 2 * height, : 2 * width]
        pixels = cast(Pixels, cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
        factor *= 2
    return pixels, factor
