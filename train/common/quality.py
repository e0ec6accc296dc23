"""What uploads do to a picture's quality, as pure functions on uint8 RGB pixels."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels


def compress(pixels: Pixels, quality: int) -> Pixels:
    """Saves pixels (H x W x 3) as JPEG of a quality from 1 to 100 and reads them back."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cast(Pixels, cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(decoded[..., ::-1])


def grey(pixels: Pixels) -> Pixels:
    """Takes the colour out of pixels (H x W x 3), which keep their shape."""
    return cast(Pixels, cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def shrink(pixels: Pixels, height: int, width: int) -> Pixels:
    """Shrinks pixels (H x W x 3), each value the mean of those it stands for.

    A size that is not smaller is no case for this.
    """
    return cast(Pixels, cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
