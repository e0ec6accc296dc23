"""Shrinks decoded pixels to the working size and applies the EXIF orientation."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.imaging.picture import Picture


def shrink(pixels: NDArray[np.uint8], working_side: int) -> NDArray[np.uint8]:
    """Shrinks a picture to the working size by area averaging.

    Args:
        pixels: uint8, H x W or H x W x C.
        working_side: Longest side of the result in pixels.

    Returns:
        The smaller picture; `pixels` if the longest side is less than twice `working_side`.
    """
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest < 2 * working_side:
        return pixels
    size = [max(1, round(side * working_side / longest)) for side in (width, height)]
    return cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def make_upright(
    pixels: NDArray[np.uint8],
    orientation: int,
    working_side: int,
    size: tuple[int, int] | None = None,
) -> Picture:
    """Makes a `Picture`: shrinks pixels to the working size and applies the EXIF orientation.

    Args:
        pixels: uint8 RGB, H x W x 3, as stored in the file.
        orientation: EXIF orientation, 1 (upright) to 8.
        working_side: See `decoding.read`.
        size: Width and height of the original as stored; None for those of `pixels`.
    """
    width, height = size or pixels.shape[1::-1]
    pixels = shrink(pixels, working_side)
    if orientation >= 5:
        width, height = height, width
        pixels = cast("NDArray[np.uint8]", cv2.transpose(pixels))
    # Flip code of cv2.flip for the rest: 0 top to bottom, 1 left to right, -1 both.
    axis = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    if axis is not None:
        pixels = cast("NDArray[np.uint8]", cv2.flip(pixels, axis))
    return Picture(pixels, width, height, orientation)
