"""Decodes JPEG, PNG and WebP with OpenCV, a large JPEG directly at a reduced size.

EXIF orientation and transparency are handled here, because the supported versions of OpenCV (4.6
and newer) treat them differently.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import cast

import cv2
import numpy as np

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.alpha import Samples, to_opaque_rgb
from image_gender_classifier.imaging.formats import JPEG
from image_gender_classifier.imaging.headers import TRUNCATED, Header
from image_gender_classifier.imaging.jpeg_scans import has_all_coefficients
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.imaging.memory_errors import (
    is_out_of_memory,
    translate_decoding_errors,
)
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.upright import make_upright, shrink

_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)
_UNDECODABLE = {
    "JPEG": "corrupt or unsupported JPEG; re-save it as baseline JPEG",
    "PNG": "corrupt or truncated PNG; copy it again from its source",
    "WebP": "corrupt or truncated WebP, or an animation, which needs OpenCV 4.11 or newer; copy it"
    " again or save it as PNG",
}
_END_MARK = b"\xff\xd9"  # EOI (end of image) marker of a JPEG
# Scan data that decode to different pixels if pixels are missing.
_FILLINGS = (b"", b"\x55" * 999, b"\xa5\x3c\x99" * 333, b"\xfe" * 999)


def decode_reduced(
    data: bytes,
    header: Header,
    limits: Limits,
    reduction: tuple[int, int],
    working_side: int,
) -> Picture:
    """Decodes a picture with OpenCV, shrinks it to the working size and makes it upright.

    Args:
        data: The whole file.
        header: Its header.
        limits: Determines how much memory decoding may take; see `Limits.memory_for`.
        reduction: Result of `choose_reduction`.
        working_side: See `decoding.read`.

    Returns:
        The picture, without `decode_finer`.

    Raises:
        UnreadablePicture: OpenCV cannot decode the file.
        Unfinished: There is not enough memory.
    """
    with _translate_errors(header, limits, reduction):
        try:
            return _decode(data, header, reduction, working_side)
        except cv2.error as error:
            if is_out_of_memory(error):
                raise
            raise UnreadablePicture(_UNDECODABLE[header.format.name]) from None


def _translate_errors(
    header: Header, limits: Limits, reduction: tuple[int, int]
) -> AbstractContextManager[None]:
    """Returns `translate_decoding_errors` for the number of pixels that OpenCV holds in memory."""
    # libjpeg holds all pixels of a multi-scan JPEG, even if it reduces the picture.
    factor = 1 if header.multi_scan else reduction[0]
    pixels = header.memory_factor * header.width * header.height // factor**2
    return translate_decoding_errors(pixels, limits)


def _decode(data: bytes, header: Header, reduction: tuple[int, int], working_side: int) -> Picture:
    """Decodes with OpenCV, composites, shrinks and applies the orientation.

    Raises:
        UnreadablePicture: OpenCV returns no picture.
        cv2.error: OpenCV rejects the file, or there is not enough memory.
    """
    factor, flag = reduction
    stored = _imdecode(data, cv2.IMREAD_UNCHANGED if header.transparent else flag)
    if stored is None:
        raise UnreadablePicture(_UNDECODABLE[header.format.name])
    height, width = (header.height, header.width) if factor > 1 else stored.shape[:2]
    # Shrinking first saves converting pixels, but with alpha it would mix in invisible colours.
    if stored.dtype == np.uint8 and stored.shape[2:] in ((), (3,)):
        stored = shrink(stored, working_side)
    pixels = to_opaque_rgb(stored, order="BGR")
    return make_upright(pixels, header.orientation, working_side, (width, height))


def complete_jpeg(data: bytes, header: Header, limits: Limits, reduction: tuple[int, int]) -> bytes:
    """Appends the EOI (end of image) marker to a JPEG that is complete except for it.

    OpenCV fills in missing pixels without an error. Therefore the picture is decoded with several
    fillings in front of the marker: they change the pixels only if pixels are missing.

    Args:
        data: The whole file.
        header: Its header.
        limits: Determines how much memory decoding may take; see `Limits.memory_for`.
        reduction: Result of `choose_reduction`.

    Returns:
        The completed file; `data` if it has an EOI marker after the header of its first scan.

    Raises:
        UnreadablePicture: The JPEG is truncated: pixels are missing.
        Unfinished: There is not enough memory.
    """
    if data.rfind(_END_MARK, header.data_offset) >= 0:
        return data
    data = data.rstrip(b"\xff")
    if header.multi_scan and not has_all_coefficients(data, header.data_offset, header.components):
        raise UnreadablePicture(TRUNCATED)
    _, flag = reduction
    with _translate_errors(header, limits, reduction):
        first, *others = (_imdecode(data + filling + _END_MARK, flag) for filling in _FILLINGS)
        for other in others:
            if first is None or other is None or not np.array_equal(first, other):
                raise UnreadablePicture(TRUNCATED)
    return data + _END_MARK


def choose_reduction(header: Header, working_side: int) -> tuple[int, int]:
    """Chooses the largest reduction that keeps the longest side at `working_side` or more.

    Only JPEG is reduced while decoding: for other formats OpenCV would decode all pixels and then
    drop some, whereas `upright.shrink` averages them.

    Returns:
        The factor (1, 2, 4 or 8), and the flag of `cv2.imdecode` for it.
    """
    if header.format == JPEG:
        longest = max(header.width, header.height)
        for factor, flag in _REDUCED:
            if longest >= factor * working_side:
                return factor, flag | cv2.IMREAD_IGNORE_ORIENTATION
    return 1, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def _imdecode(data: bytes, flag: int) -> Samples | None:
    """Decodes with OpenCV, in BGR order; returns None if the file is corrupt.

    The result is uint8, H x W x 3, or with `IMREAD_UNCHANGED` has the file's channels and dtype.
    """
    return cast("Samples | None", cv2.imdecode(np.frombuffer(data, np.uint8), flag))


def _silence_opencv() -> None:
    """Disables OpenCV's log, which repeats our errors, unless OPENCV_LOG_LEVEL is set."""
    if "OPENCV_LOG_LEVEL" in os.environ:
        return
    module = getattr(cv2.utils, "logging", cv2)  # OpenCV 4.6 has the function in cv2
    if hasattr(module, "setLogLevel"):
        module.setLogLevel(0)


_silence_opencv()
