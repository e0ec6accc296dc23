"""Tells a lack of memory apart from a faulty file.

Decoders report both alike: OpenCV returns nothing, and plugins raise errors of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.files import OUT_OF_MEMORY
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.system.memory import is_available

_LARGER = "the file holds a larger picture than it states; save it again in another program"
_OPENCV_OUT_OF_MEMORY = -4  # cv::Error::StsNoMem, without a name in some versions


@contextmanager
def blaming_the_culprit(pixels: int, limits: Limits) -> Iterator[None]:
    """Blames a picture that cannot be decoded only if there is memory for it.

    Args:
        pixels: The pixels to decode, as the file states them.
        limits: The limits, which bound the memory that they may take.

    Raises:
        Unfinished: Decoding failed, and the memory that so many pixels take is not available.
        UnreadablePicture: Decoding failed although it is.
    """
    try:
        yield
    except Exception as error:
        short = is_out_of_memory(error)
        if not (short or isinstance(error, UnreadablePicture)):
            raise
        if not is_available(limits.memory_for(pixels)):
            raise Unfinished(OUT_OF_MEMORY) from None
        if short:
            raise UnreadablePicture(_LARGER) from None
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an exception of Python, NumPy or OpenCV says that memory is short."""
    if isinstance(error, cv2.error):
        return bool(error.code == _OPENCV_OUT_OF_MEMORY)
    return isinstance(error, MemoryError)
