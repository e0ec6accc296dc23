"""Distinguishes a lack of memory from a corrupt picture when decoding fails.

Decoders report both alike: OpenCV returns None, and Pillow plugins raise exceptions of many types.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.files import OUT_OF_MEMORY
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.system.memory import is_memory_available

_LARGER = "the picture is larger than its header states; re-save it with another program"
_OPENCV_OUT_OF_MEMORY = -4  # cv::Error::StsNoMem, which some versions do not name in Python


@contextmanager
def translate_decoding_errors(pixels: int, limits: Limits) -> Iterator[None]:
    """Context manager that turns a decoding error into `Unfinished` if memory is short.

    Exceptions other than `UnreadablePicture` and those of `is_out_of_memory` pass unchanged.

    Args:
        pixels: Width x height x `Header.memory_factor`, according to the header of the picture.
        limits: Determines how much memory decoding may take; see `Limits.memory_for`.

    Raises:
        Unfinished: Decoding failed, and this much memory is not available.
        UnreadablePicture: Decoding failed although the memory is available: the picture is corrupt,
            or larger than its header states.
    """
    try:
        yield
    except Exception as error:
        short = is_out_of_memory(error)
        if not (short or isinstance(error, UnreadablePicture)):
            raise
        if not is_memory_available(limits.memory_for(pixels)):
            raise Unfinished(OUT_OF_MEMORY) from None
        if short:
            raise UnreadablePicture(_LARGER) from None
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Returns whether an exception of Python, NumPy or OpenCV means that memory is short."""
    if isinstance(error, cv2.error):
        return bool(error.code == _OPENCV_OUT_OF_MEMORY)
    return isinstance(error, MemoryError)
