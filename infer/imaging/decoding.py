"""Decodes picture files to upright, opaque 8-bit RGB pixels at the working size.

OpenCV decodes JPEG, PNG and WebP, NumPy decodes PNM, and Pillow decodes the other formats. A large
JPEG is decoded directly at a reduced size; a caller that needs more pixels for a small face decodes
it again at the working size, with `Picture.finer`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.imaging.alpha import to_opaque_rgb
from image_gender_classifier.imaging.files import EMPTY, read_bytes
from image_gender_classifier.imaging.formats import JPEG, PNM, Format, require_format
from image_gender_classifier.imaging.headers import read_header
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS, Limits
from image_gender_classifier.imaging.opencv_decoding import (
    choose_reduction,
    complete_jpeg,
    decode_reduced,
)
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.upright import make_upright, shrink

WORKING_SIDE = 640
"""The working size in pixels: a longest side of 1,280 or more is shrunk to 640 to 1,279."""

QUICK_SIDE = 320
"""Working size of the first decoding of a large JPEG: its longest side becomes 320 to 639 pixels.

A face that fills a third of this side has enough pixels for the classifier.
"""


def read(path: Path, working_side: int | None = None) -> Picture:
    """Reads and decodes a picture file.

    Args:
        path: The file. Its content, not its name, determines the format.
        working_side: Target for the longest side in pixels. A longest side of at least twice this
            is reduced to this or more, but less than twice this; other pictures keep their size.
            None for `WORKING_SIDE`, except that a large single-scan JPEG is first decoded for
            `QUICK_SIDE`; `Picture.finer` then decodes it for `WORKING_SIDE`.

    Returns:
        The decoded picture.

    Raises:
        UnreadablePicture: The file cannot be read or decoded, or exceeds a limit; `DecoderMissing`
            if a package is missing. The message has the reason and the remedy, but not `path`.
        Unfinished: There is not enough memory, or the disk, the network or the system prevents
            reading the file.
        MemoryError, cv2.error: There is not enough memory after decoding; see
            `memory_errors.is_out_of_memory`.
    """
    return decode(read_bytes(path), working_side)


def decode(
    data: bytes, working_side: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> Picture:
    """Decodes the content of a picture file.

    Args:
        data: Content of the file: bytes, bytearray or memoryview.
        working_side: See `read`.
        limits: Decompression-bomb limits, checked before a pixel is decoded.

    Returns:
        The decoded picture.

    Raises:
        UnreadablePicture: The picture cannot be decoded or exceeds a limit; `DecoderMissing` if a
            package is missing. The message has the reason and the remedy.
        Unfinished: There is not enough memory.
        MemoryError, cv2.error: See `read`.
    """
    limits.check_bytes(len(data))
    if not data:
        raise UnreadablePicture(EMPTY)
    data = bytes(data)  # copies only a bytearray or a memoryview
    kind = require_format(data)
    wanted = WORKING_SIDE if working_side is None else working_side
    if kind.decoder == "pillow":
        pixels, orientation = _decode_with_pillow(data, kind, limits)
        return make_upright(pixels, orientation, wanted)
    if kind is PNM:
        from image_gender_classifier.imaging import pnm  # late: few runs need it

        return make_upright(pnm.decode(data, limits), 1, wanted)
    header = read_header(data, kind)
    limits.check_size(header)
    limits.check_decoding_cost(data, header)
    if not header.plain:
        pixels, _ = _decode_with_pillow(data, kind, limits)
        return make_upright(pixels, header.orientation, wanted)
    finest = choose_reduction(header, wanted)
    if kind is JPEG:
        data = complete_jpeg(data, header, limits, finest)
    # A multi-scan JPEG takes nearly as long at any size, so decoding twice would double the time.
    reducible = working_side is None and not header.multi_scan
    quick = choose_reduction(header, QUICK_SIDE) if reducible else finest
    picture = decode_reduced(data, header, limits, quick, wanted)
    if quick == finest:
        return picture
    decoded: list[Picture] = []  # `functools.cache` takes longer to set up for each picture

    def decode_finer() -> Picture:
        if not decoded:
            decoded.append(decode_reduced(data, header, limits, finest, wanted))
        return decoded[0]

    return picture._replace(decode_finer=decode_finer)


def from_array(pixels: NDArray[np.uint8], working_side: int = WORKING_SIDE) -> Picture:
    """Makes a `Picture` from an array of pixels, shrunk to the working size.

    Args:
        pixels: uint8, H x W or H x W x 1 (grey), H x W x 3 (RGB) or H x W x 4 (RGB and straight
            alpha), upright. Never changed; not copied if it can be `Picture.pixels` as it is.
        working_side: See `read`.

    Returns:
        The picture, with the size of the array as its width and height.

    Raises:
        UsageError: The array has another dtype or shape, or no pixels.
        MemoryError, cv2.error: There is not enough memory; see `memory_errors.is_out_of_memory`.
    """
    valid = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4))
    if not valid or pixels.dtype != np.uint8 or pixels.size == 0:
        raise UsageError(
            "a picture must be a uint8 array of H x W, H x W x 1, H x W x 3 (RGB) or H x W x 4"
            f" (RGBA), not a {pixels.dtype} array of {' x '.join(map(str, pixels.shape))}"
        )
    height, width = pixels.shape[:2]
    upright = np.ascontiguousarray(pixels)
    if upright.shape[2:] != (3,):
        upright = to_opaque_rgb(upright, order="RGB")
    return Picture(shrink(upright, working_side), width, height)


def _decode_with_pillow(data: bytes, kind: Format, limits: Limits) -> tuple[NDArray[np.uint8], int]:
    """Decodes with Pillow; see `pillow.decode` for the result and the exceptions."""
    from image_gender_classifier.imaging import pillow  # late: most runs do not need it

    return pillow.decode(data, kind, limits)
