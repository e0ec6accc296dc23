"""Image quality degradations of uint8 RGB pixels: JPEG compression, greyscale, downscaling."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels


def compress_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Compresses pixels (uint8 RGB, H x W x 3) as JPEG and returns the decoded result.

    Args:
        pixels: The pixels.
        quality: JPEG quality, 1 to 100.
    """
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cast(Pixels, cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(decoded[..., ::-1])


def convert_to_grey(pixels: Pixels) -> Pixels:
    """Converts pixels (uint8 RGB, H x W x 3) to greyscale, with three equal channels."""
    return cast(Pixels, cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def shrink_pixels(pixels: Pixels, height: int, width: int) -> Pixels:
    """Downscales pixels (uint8 RGB, H x W x 3) to `height` x `width` by area averaging."""
    return cast(Pixels, cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
