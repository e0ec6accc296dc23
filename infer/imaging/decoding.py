"""Decodes picture files to upright, opaque 8-bit RGB pixels at the working size.

OpenCV decodes JPEG, PNG and WebP, NumPy PNM, and Pillow other formats. A JPEG is decoded directly
at a reduced size; if its faces are small, it is decoded again at a higher resolution. The result is
the same for every format and every OpenCV from 4.6 on.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.imaging.alpha import Samples, to_opaque_rgb
from image_gender_classifier.imaging.files import EMPTY, read_bytes
from image_gender_classifier.imaging.formats import JPEG, PNM, Format, require_format
from image_gender_classifier.imaging.headers import TRUNCATED, Header, read_header
from image_gender_classifier.imaging.jpeg_scans import sends_everything
from image_gender_classifier.imaging.limits import USUAL, Limits
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.shortage import blaming_the_culprit, is_out_of_memory

WORKING_SIDE = 640
QUICK_SIDE = 320  # a face that fills a third of it has enough pixels for the classifier

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
_END_MARK = b"\xff\xd9"  # of a JPEG
# Scan data that hardly decode to the same pixels.
_FILLINGS = (b"", b"\x55" * 999, b"\xa5\x3c\x99" * 333, b"\xfe" * 999)


def read(path: Path, working_side: int | None = None) -> Picture:
    """Reads a picture file.

    Args:
        path: The file. Its content, not its name, determines the format.
        working_side: Minimum of the longest side of the pixels, which is below twice this; a
            smaller picture keeps its size. By default `QUICK_SIDE` for a JPEG, which
            `Picture.finer` decodes again at `WORKING_SIDE`, and `WORKING_SIDE` for others.

    Raises:
        UnreadablePicture: The message has reason and remedy, without the path.
        Unfinished: There is not enough memory; or `MemoryError`, as raised where it is short.
    """
    return decode(read_bytes(path), working_side)


def decode(data: bytes, working_side: int | None = None, limits: Limits = USUAL) -> Picture:
    """Decodes the bytes of a picture file within limits; other arguments and errors as `read`."""
    limits.check_bytes(len(data))
    if not data:
        raise UnreadablePicture(EMPTY)
    data = bytes(data)  # no copy unless it is a bytearray or a memoryview
    kind = require_format(data)
    wanted = WORKING_SIDE if working_side is None else working_side
    if kind.decoder == "pillow":
        pixels, orientation = _decode_with_pillow(data, kind, limits)
        return _upright(pixels, orientation, wanted)
    if kind is PNM:
        from image_gender_classifier.imaging import pnm  # late: hardly a run needs it

        return _upright(pnm.decode(data, limits), 1, wanted)
    header = read_header(data, kind)
    limits.check_size(header)
    limits.check_decoding_cost(data, header)
    if not header.plain:
        pixels, _ = _decode_with_pillow(data, kind, limits)
        return _upright(pixels, header.orientation, wanted)
    finest = _choose_reduction(header, wanted)
    if kind is JPEG and data.rfind(_END_MARK, header.data_offset) < 0:
        with _blaming_the_culprit(header, limits, finest):
            data = _with_end_mark(data, header, finest)
    # A multi-scan JPEG takes nearly as long at any size, so decoding it twice costs double.
    reducible = working_side is None and not header.multi_scan
    quick = _choose_reduction(header, QUICK_SIDE) if reducible else finest
    picture = _decode_at(data, header, limits, quick, wanted)
    if quick == finest:
        return picture
    finer = cache(partial(_decode_at, data, header, limits, finest, wanted))
    return replace(picture, decode_finer=finer)


def from_array(pixels: NDArray[np.uint8], working_side: int = WORKING_SIDE) -> Picture:
    """Makes a picture of an array.

    Args:
        pixels: uint8, H x W or H x W x 1 (grey), H x W x 3 (RGB) or H x W x 4 (RGB and straight
            alpha), upright. Not copied if it can serve as `Picture.pixels` unchanged.
        working_side: As for `read`.

    Raises:
        UsageError: The array has another dtype or shape, or no pixels.
        MemoryError: There is not enough memory; or `cv2.error`, see `shortage.is_out_of_memory`.
    """
    valid = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4))
    if not valid or pixels.dtype != np.uint8 or pixels.size == 0:
        raise UsageError(
            "a picture must be a uint8 array of H x W, H x W x 1, H x W x 3 (RGB) or H x W x 4"
            f" (RGBA), not {pixels.dtype} of {' x '.join(map(str, pixels.shape))}"
        )
    height, width = pixels.shape[:2]
    upright = np.ascontiguousarray(pixels)
    if upright.shape[2:] != (3,):
        upright = to_opaque_rgb(upright, order="RGB")
    return Picture(_shrink(upright, working_side), width, height)


def _decode_at(
    data: bytes,
    header: Header,
    limits: Limits,
    reduction: tuple[int, int],
    working_side: int,
) -> Picture:
    with _blaming_the_culprit(header, limits, reduction):
        try:
            return _decode(data, header, reduction, working_side)
        except cv2.error as error:
            if is_out_of_memory(error):
                raise
            raise UnreadablePicture(_UNDECODABLE[header.format.name]) from None


def _blaming_the_culprit(
    header: Header, limits: Limits, reduction: tuple[int, int]
) -> AbstractContextManager[None]:
    # The decoder holds all pixels of a multi-scan JPEG.
    factor = 1 if header.multi_scan else reduction[0]
    pixels = header.memory_factor * header.width * header.height // factor**2
    return blaming_the_culprit(pixels, limits)


def _decode(data: bytes, header: Header, reduction: tuple[int, int], working_side: int) -> Picture:
    """Decodes, composites, shrinks and rotates, in the order that copies the fewest pixels."""
    factor, flag = reduction
    stored = _imdecode(data, cv2.IMREAD_UNCHANGED if header.transparent else flag)
    if stored is None:
        raise UnreadablePicture(_UNDECODABLE[header.format.name])
    height, width = (header.height, header.width) if factor > 1 else stored.shape[:2]
    # Opaque ones are shrunk before converting.
    if stored.dtype == np.uint8 and stored.shape[2:] in ((), (3,)):
        stored = _shrink(stored, working_side)
    pixels = to_opaque_rgb(stored, order="BGR")
    return _upright(pixels, header.orientation, working_side, (width, height))


def _decode_with_pillow(data: bytes, kind: Format, limits: Limits) -> tuple[NDArray[np.uint8], int]:
    """Returns RGB pixels as stored, and the EXIF orientation."""
    from image_gender_classifier.imaging import pillow  # late: most runs do not need it

    return pillow.decode(data, kind, limits)


def _with_end_mark(data: bytes, header: Header, reduction: tuple[int, int]) -> bytes:
    """Appends the end mark to a JPEG that lacks nothing else.

    OpenCV invents pixels that are missing. In a complete picture, bytes between the last pixel and
    the end mark make no difference; otherwise they are decoded as the missing pixels.

    Raises:
        UnreadablePicture: Pixels are missing.
    """
    data = data.rstrip(b"\xff")
    if header.multi_scan and not sends_everything(data, header.data_offset, header.components):
        raise UnreadablePicture(TRUNCATED)
    _, flag = reduction
    first, *others = (_imdecode(data + filling + _END_MARK, flag) for filling in _FILLINGS)
    for other in others:
        if first is None or other is None or not np.array_equal(first, other):
            raise UnreadablePicture(TRUNCATED)
    return data + _END_MARK


def _choose_reduction(header: Header, working_side: int) -> tuple[int, int]:
    """Returns the factor of reduction while decoding, and OpenCV's flag for it.

    Only JPEG is reduced: for other formats OpenCV would decode all pixels and then drop some,
    whereas `_shrink` averages them.
    """
    if header.format == JPEG:
        longest = max(header.width, header.height)
        for factor, flag in _REDUCED:
            if longest >= factor * working_side:
                return factor, flag | cv2.IMREAD_IGNORE_ORIENTATION
    return 1, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def _imdecode(data: bytes, flag: int) -> Samples | None:
    """Decodes to BGR, or with `IMREAD_UNCHANGED` to the channels and dtype of the file."""
    return cast("Samples | None", cv2.imdecode(np.frombuffer(data, np.uint8), flag))


def _shrink(pixels: NDArray[np.uint8], working_side: int) -> NDArray[np.uint8]:
    """Shrinks the longest side to `working_side` if it is twice that or more."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest < 2 * working_side:
        return pixels
    size = [max(1, round(side * working_side / longest)) for side in (width, height)]
    return cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _upright(
    pixels: NDArray[np.uint8],
    orientation: int,
    working_side: int,
    size: tuple[int, int] | None = None,
) -> Picture:
    """Makes a picture of pixels and an EXIF orientation of 1 to 8.

    Args:
        pixels: The pixels as stored.
        orientation: The orientation.
        working_side: As for `read`.
        size: Width and height of the original; None for that of `pixels`.
    """
    width, height = size or pixels.shape[1::-1]
    pixels = _shrink(pixels, working_side)
    if orientation >= 5:
        width, height = height, width
        pixels = cast("NDArray[np.uint8]", cv2.transpose(pixels))
    # Axis of the remaining flip: 0 vertical, 1 horizontal, -1 both.
    axis = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    if axis is not None:
        pixels = cast("NDArray[np.uint8]", cv2.flip(pixels, axis))
    return Picture(pixels, width, height)


def _silence_opencv() -> None:
    """Disables OpenCV's log, whose messages repeat our errors, unless the user enabled it."""
    if "OPENCV_LOG_LEVEL" in os.environ:
        return
    module = getattr(cv2.utils, "logging", cv2)  # OpenCV 4.6 has the function in cv2
    if hasattr(module, "setLogLevel"):
        module.setLogLevel(0)


_silence_opencv()
