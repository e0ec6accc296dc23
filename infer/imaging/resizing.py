"""Fast downscaling of a picture by powers of two."""

from __future__ import annotations

from typing import cast

import cv2

from image_gender_classifier.imaging.pixels import Pixels

HALVING = cv2.INTER_AREA  # the mean of 2 x 2 pixels


def halve_repeatedly(pixels: Pixels, side: float) -> tuple[Pixels, int]:
    """Halves a picture until its longest side is less than twice `side`.

    The caller resizes the result to `side` by linear interpolation: this is similar to area
    averaging in one step, and many times faster. An odd last row or column is dropped. A picture
    that is one pixel wide or high is not halved further.

    Args:
        pixels: uint8, H x W or H x W x C.
        side: Longest side in pixels that the caller wants.

    Returns:
        The smaller picture (`pixels` itself if it is small enough), and the factor by which its
        sides are reduced: 1, 2, 4 ...
    """
    factor = 1
    while max(pixels.shape[:2]) >= 2 * side and min(pixels.shape[:2]) > 1:
        height, width = (extent // 2 for extent in pixels.shape[:2])
        even = pixels[: 2 * height, : 2 * width]
        pixels = cast(Pixels, cv2.resize(even, (width, height), interpolation=HALVING))
        factor *= 2
    return pixels, factor
