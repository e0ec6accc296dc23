"""GIF pictures where OpenCV was built without GIF support, as before 4.12.

Pillow reads them there, if it is installed: it is too heavy to require for one rare format.
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
    """Tells whether this OpenCV was built with GIF support, by trying."""
    return cv2.imdecode(np.frombuffer(_ONE_PIXEL, np.uint8), cv2.IMREAD_COLOR) is not None


def first_frame(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Decodes a GIF's first frame with Pillow.

    Returns:
        uint8 BGRA, H x W x 4; None where Pillow is not installed or cannot decode it.
    """
    try:
        from PIL import Image
    except ImportError:
        return None
    try:
        with Image.open(BytesIO(data), formats=["GIF"]) as picture:
            rgba = np.asarray(picture.convert("RGBA"))
    except Exception:  # whatever damage makes Pillow raise, the picture is not decodable
        return None
    return np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])
