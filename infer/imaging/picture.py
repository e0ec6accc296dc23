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
        decode_finer: Decodes it at the working size where these pixels are a smaller, quick copy.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    decode_finer: Callable[[], Picture] | None = None

    def finer(self) -> Picture:
        """The same picture at the working size.

        Raises:
            UnreadablePicture: It cannot be decoded again.
        """
        return self if self.decode_finer is None else self.decode_finer()

    @property
    def scale(self) -> float:
        """Original pixels per working pixel.

        The longer side tells it: the last pixel of a JPEG that is reduced may be incomplete, and
        other pictures are rounded to whole pixels, which matters on a short side.
        """
        longest: int = max(self.pixels.shape[:2])
        return max(self.width, self.height) / longest
