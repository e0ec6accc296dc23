"""Alpha compositing, and conversion of decoded samples to 8-bit RGB.

A transparent picture is composited on white, as viewers and browsers do. The colours of transparent
pixels are arbitrary, and could contain a face that is not visible.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]


def to_opaque_rgb(stored: Samples, order: Literal["BGR", "RGB"]) -> NDArray[np.uint8]:
    """Converts the samples of a picture to opaque RGB.

    Args:
        stored: H x W, H x W x 1, x 3 or x 4; uint8 or uint16, C-contiguous. May be overwritten
            where its order is BGR.
        order: Order of the colours; alpha is last, and straight (not premultiplied).

    Returns:
        H x W x 3, uint8, RGB, C-contiguous.

    Raises:
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
        _array(cv2.cvtColor(samples, code)), _array(cv2.extractChannel(samples, 3))
    )


def _to_8_bits(stored: Samples) -> NDArray[np.uint8]:
    """Scales samples to 0..255."""
    return (
        stored if stored.dtype == np.uint8 else _array(cv2.convertScaleAbs(stored, alpha=1 / 257))
    )


def _composite_on_white(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Composites `colours` (H x W x 3) on white by `alpha` (H x W), in place."""
    if alpha.min() == 255:
        return colours
    # Multiplying the inverted colours keeps white at 255 and rounds only once.
    cv2.bitwise_not(colours, dst=colours)
    cv2.multiply(colours, cv2.merge((alpha, alpha, alpha)), dst=colours, scale=1 / 255)
    return _array(cv2.bitwise_not(colours, dst=colours))


def _array(samples: Any) -> NDArray[np.uint8]:
    """Casts a result of OpenCV, which has no precise type."""
    return cast("NDArray[np.uint8]", samples)
