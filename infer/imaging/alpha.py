"""Alpha compositing, and conversion of decoded samples to 8-bit RGB.

A transparent picture is composited on white, as viewers and browsers do. Dropping the alpha channel
instead would show the arbitrary colours of transparent pixels, possibly an invisible face.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]


def to_opaque_rgb(stored: Samples, order: Literal["BGR", "RGB"]) -> NDArray[np.uint8]:
    """Converts decoded samples to 8-bit RGB; composites transparent ones on white.

    Args:
        stored: uint8 or uint16, C-contiguous: H x W or H x W x 1 (grey), H x W x 3 (always BGR;
            may be overwritten), or H x W x 4 with straight (not premultiplied) alpha last.
        order: Order of the colours of H x W x 4.

    Returns:
        uint8 RGB, H x W x 3, C-contiguous.

    Raises:
        cv2.error: There is not enough memory.
    """
    samples = _to_8_bits(stored)
    channels = samples.shape[2] if samples.ndim == 3 else 1
    if channels == 1:
        return _as_uint8(cv2.cvtColor(samples, cv2.COLOR_GRAY2RGB))
    if channels == 3:
        return _as_uint8(cv2.cvtColor(samples, cv2.COLOR_BGR2RGB, dst=samples))
    code = cv2.COLOR_BGRA2RGB if order == "BGR" else cv2.COLOR_RGBA2RGB
    return _composite_on_white(
        _as_uint8(cv2.cvtColor(samples, code)), _as_uint8(cv2.extractChannel(samples, 3))
    )


def _to_8_bits(stored: Samples) -> NDArray[np.uint8]:
    """Scales uint16 samples from 0..65535 to 0..255; returns uint8 samples unchanged."""
    return (
        stored
        if stored.dtype == np.uint8
        else _as_uint8(cv2.convertScaleAbs(stored, alpha=1 / 257))
    )


def _composite_on_white(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Composites colours (H x W x 3) on white by straight alpha (H x W); works in place."""
    if alpha.min() == 255:
        return colours
    # Multiplying the inverted colours keeps white at 255 and rounds only once.
    cv2.bitwise_not(colours, dst=colours)
    cv2.multiply(colours, cv2.merge((alpha, alpha, alpha)), dst=colours, scale=1 / 255)
    return _as_uint8(cv2.bitwise_not(colours, dst=colours))


def _as_uint8(samples: Any) -> NDArray[np.uint8]:
    """Casts the type of an OpenCV result for mypy; does not convert it."""
    return cast("NDArray[np.uint8]", samples)
