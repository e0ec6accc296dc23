"""A decoded picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture at the working size, upright as a person sees it.

    Attributes:
        pixels: H x W x 3, uint8, RGB, C-contiguous.
        width: Width of the original in pixels, EXIF orientation applied.
        height: Height of the original in pixels, EXIF orientation applied.
        decode_finer: Decodes the picture at the working size; None if `pixels` have it already.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    decode_finer: Callable[[], Picture] | None = None

    def finer(self) -> Picture:
        """Returns the picture at the working size.

        Raises:
            UnreadablePicture: The picture cannot be decoded again.
        """
        return self if self.decode_finer is None else self.decode_finer()

    @property
    def scale(self) -> float:
        """Original pixels per pixel of `pixels`, by the longer side, which is rounded less."""
        longest: int = max(self.pixels.shape[:2])
        return max(self.width, self.height) / longest
