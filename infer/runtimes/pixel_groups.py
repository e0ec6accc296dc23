"""Models whose input holds several neighbouring pixels per position.

A first convolution on such groups takes less time, because the runtimes pad the channels of each
position of a kernel to 8. In memory, an RGB picture and its groups are the same bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_RGB = 3


class PixelGroups(NamedTuple):
    """The shapes of an input in pixels and in groups of pixels.

    Attributes:
        pixels: Height, width and channels in pixels; those of the input itself if its channels are
            not a multiple of 3.
        size: Number of pixels in a group.
    """

    pixels: tuple[int, int, int]
    size: int

    def pack(self, crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Returns a view of a crop (H x W x C) as an input of the model, 1 x H x W/size x C*size.

        Raises:
            ValueError: The width is not a multiple of the size.
        """
        height, width, channels = crop.shape
        return crop.reshape(1, height, width // self.size, channels * self.size)


def find_pixel_groups(height: int, width: int, channels: int) -> PixelGroups:
    """Returns the groups of a model's input.

    Args:
        height: Height of the input.
        width: Its width in groups.
        channels: Its channels: 3 for each pixel of a group.
    """
    size = channels // _RGB if channels and channels % _RGB == 0 else 1
    return PixelGroups((height, width * size, channels // size), size)
