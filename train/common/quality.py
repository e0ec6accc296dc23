"""Quality degradations: JPEG compression, greyscale, shrinking (uint8 RGB)."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels


def compress(pixels: Pixels, quality: int) -> Pixels:
    """Compresses pixels (H x W x 3) to JPEG of quality 1 to 100 and decodes them."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cast(Pixels, cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(decoded[..., ::-1])


def grey(pixels: Pixels) -> Pixels:
    """Converts pixels (H x W x 3) to grey with three equal channels."""
    return cast(Pixels, cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def shrink(pixels: Pixels, height: int, width: int) -> Pixels:
    """Shrinks pixels (H x W x 3) by averaging areas; the new size must be smaller."""
    return cast(Pixels, cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
