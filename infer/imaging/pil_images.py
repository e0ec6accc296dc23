"""Converts the images of a program that uses Pillow to pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UsageError


def read_pil_image(image: Any) -> NDArray[np.uint8]:
    """Returns the pixels of a PIL image with its EXIF orientation applied.

    Args:
        image: The `PIL.Image.Image`, loaded or not.

    Returns:
        uint8: H x W (grey), H x W x 3 (RGB) or H x W x 4 (RGBA, if it may be transparent).

    Raises:
        UsageError: The mode has 16 or 32 bits (I or F).
    """
    from PIL import ImageOps

    if image.mode[0] in "IF":
        raise UsageError(
            f"a PIL image of mode {image.mode!r} is not supported; scale its values to 0 to 255, "
            "then convert it to 'RGB' (convert() alone clips them)"
        )
    upright = ImageOps.exif_transpose(image)
    transparent = "A" in upright.mode or "transparency" in upright.info
    mode = "RGBA" if transparent else "L" if upright.mode == "L" else "RGB"
    return np.array(upright.convert(mode), np.uint8)
