"""Decodes GIF with Pillow if OpenCV has no GIF support, as before version 4.12.

Pillow is optional: it is too large to require for one rare format.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt

_ONE_PIXEL = bytes.fromhex("474946383961010001008000000000000000002c00000000010001000002024401003b")


@cache
def opencv_reads_gif() -> bool:
    """Returns whether this OpenCV can decode GIF."""
    return cv2.imdecode(np.frombuffer(_ONE_PIXEL, np.uint8), cv2.IMREAD_COLOR) is not None


def first_frame(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Decodes the first frame of a GIF with Pillow.

    Returns:
        uint8 BGRA, H x W x 4; None if Pillow is not installed or cannot decode it.
    """
    try:
        from PIL import Image
    except ImportError:
        return None
    try:
        with Image.open(BytesIO(data), formats=["GIF"]) as picture:
            rgba = np.asarray(picture.convert("RGBA"))
    except Exception:  # Pillow raises many types for corrupt files
        return None
    return np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])
