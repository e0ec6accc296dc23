"""A decoded picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.results import Stored


class Picture(NamedTuple):
    """A decoded picture, upright (EXIF orientation applied).

    Pictures cannot be compared for equality, only for identity, because arrays cannot be.

    Attributes:
        pixels: H x W x 3, uint8, RGB, C-contiguous.
        width: Width of the original in pixels, EXIF orientation applied.
        height: Height of the original in pixels, EXIF orientation applied.
        orientation: EXIF orientation (1 to 8) that was applied to the stored pixels.
        decode_finer: Decodes the picture again at the working size (`decoding.WORKING_SIDE`); None
            if `pixels` are at this size already.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    orientation: int = 1
    decode_finer: Callable[[], Picture] | None = None

    def finer(self) -> Picture:
        """Returns the picture at the working size; decodes a JPEG again if necessary.

        Raises:
            UnreadablePicture: The picture cannot be decoded again at a higher resolution.
            Unfinished: There is not enough memory.
        """
        return self if self.decode_finer is None else self.decode_finer()

    @property
    def stored(self) -> Stored:
        """Width and height as stored, before EXIF orientation is applied, and the orientation."""
        sides = (self.width, self.height)
        return Stored(*(sides if self.orientation < 5 else sides[::-1]), self.orientation)

    @property
    def scale(self) -> float:
        """Factor from coordinates in `pixels` to coordinates in the original, 1 or more.

        Computed from the longer sides, on which rounding has less effect.
        """
        longest: int = max(self.pixels.shape[:2])
        return max(self.width, self.height) / longest
