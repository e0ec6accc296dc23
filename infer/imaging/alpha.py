"""Alpha compositing, and conversion of decoded samples to 8-bit RGB.

A transparent picture is composited on white, as viewers and browsers do. The colours of transparent
pixels are arbitrary, and could contain a face that is not visible.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UnreadablePicture

Samples = NDArray[Any]
_BLOCK = 2**20  # samples scaled at a time, to limit memory


def to_opaque_rgb(
    stored: Samples, premultiplied: bool, order: Literal["BGR", "RGB"]
) -> NDArray[np.uint8]:
    """Converts the samples of a picture to opaque RGB.

    Args:
        stored: H x W, H x W x 1, x 3 or x 4; uint8, uint16 or float, C-contiguous. May be
            overwritten where its order is BGR.
        premultiplied: Whether the colours are premultiplied by alpha.
        order: Order of the colours; alpha is last.

    Returns:
        H x W x 3, uint8, RGB, C-contiguous.

    Raises:
        UnreadablePicture: The samples have another dtype.
        cv2.error: There is not enough memory.
    """
    samples = _to_8_bits(stored)
    channels = samples.shape[2] if samples.ndim == 3 else 1
    if channels == 1:
        return _array(cv2.cvtColor(samples, cv2.COLOR_GRAY2RGB))
    if channels == 3:
        return _array(cv2.cvtColor(samples, cv2.COLOR_BGR2RGB, dst=samples))
    code = cv2.COLOR_BGRA2RGB if order == "BGR" else cv2.COLOR_RGBA2RGB
    return _composite_on_white(
        _array(cv2.cvtColor(samples, code)), _array(cv2.extractChannel(samples, 3)), premultiplied
    )


def _to_8_bits(stored: Samples) -> NDArray[np.uint8]:
    """Scales samples to 0..255."""
    if stored.dtype == np.uint8:
        return stored
    if stored.dtype == np.uint16:
        return _array(cv2.convertScaleAbs(stored, alpha=1 / 257))
    if stored.dtype in (np.float32, np.float64):
        return _from_floats(stored)
    raise UnreadablePicture(
        f"unsupported picture with {stored.dtype} samples; re-save it with 8 bits per colour"
    )


def _from_floats(stored: Samples) -> NDArray[np.uint8]:
    """Scales float samples to 0..255. Files do not say whether theirs are 0..1 or 0..255."""
    step = max(_BLOCK // max(stored[0].size, 1), 1)
    blocks = [np.s_[top : top + step] for top in range(0, len(stored), step)]
    highest = max(float(_finite(stored[block]).max()) for block in blocks)
    factor = 255.0 if highest <= 1.0 else 1.0
    scaled = np.empty(stored.shape, np.uint8)
    for block in blocks:
        scaled[block] = np.clip(_finite(stored[block]) * factor + 0.5, 0, 255)
    return scaled


def _finite(samples: Samples) -> Samples:
    return np.nan_to_num(samples, nan=0.0, posinf=255.0, neginf=0.0)


def _composite_on_white(
    colours: NDArray[np.uint8], alpha: NDArray[np.uint8], premultiplied: bool
) -> NDArray[np.uint8]:
    """Composites `colours` (H x W x 3) on white by `alpha` (H x W), in place."""
    if alpha.min() == 255:
        return colours
    if premultiplied:
        white = cv2.bitwise_not(alpha)
        return _array(cv2.add(colours, cv2.merge((white, white, white)), dst=colours))
    # Multiplying the inverted colours keeps white at 255 and rounds only once.
    cv2.bitwise_not(colours, dst=colours)
    cv2.multiply(colours, cv2.merge((alpha, alpha, alpha)), dst=colours, scale=1 / 255)
    return _array(cv2.bitwise_not(colours, dst=colours))


def _array(samples: Any) -> NDArray[np.uint8]:
    """Casts a result of OpenCV, which has no precise type."""
    return cast("NDArray[np.uint8]", samples)
