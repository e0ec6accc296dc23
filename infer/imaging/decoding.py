"""Turns a picture's bytes into pixels at the working size.

A camera picture has a hundred times the pixels that a large face takes, so a JPEG is decoded
straight to a reduced size, and the size of the original is taken from its header; where the faces
turn out to be small, it is decoded again, less reduced. Orientation, transparency and sample depth
are settled here, alike for every format and for every OpenCV from 4.6 on, so that the other rooms
see upright, opaque 8-bit RGB only.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.imaging import gif
from image_gender_classifier.imaging.alpha import Samples, to_opaque_rgb
from image_gender_classifier.imaging.files import EMPTY, TOO_BIG, read_bytes
from image_gender_classifier.imaging.headers import BREAKS_OFF, Header, read_header
from image_gender_classifier.imaging.limits import USUAL, Limits
from image_gender_classifier.imaging.picture import Picture

WORKING_SIDE = 640
QUICK_SIDE = 320  # a face that fills a third of it has the pixels that the classifier wants
CACHE_KEY = (WORKING_SIDE, QUICK_SIDE)

_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)
_UNDECODABLE = {
    "jpeg": "The JPEG data is damaged or of a rare kind; save it again as usual JPEG.",
    "png": "The PNG data is damaged or breaks off; copy it again from its source.",
    "webp": "The WebP data is damaged, breaks off or is animated (which takes OpenCV 4.11 or"
    " newer); copy it again or save it as PNG.",
    "bmp": "The BMP data is damaged or breaks off; copy it again from its source.",
    "tiff": "The TIFF data is damaged, breaks off or is of a rare kind; copy it again or save it"
    " as RGB with 8 bits per colour.",
    "gif": "The GIF data is damaged or breaks off, or this OpenCV (before 4.12) cannot read GIF"
    " and needs Pillow (pip install pillow); copy it again, or save it as PNG.",
}


def read(path: Path, working_side: int | None = None) -> Picture:
    """Reads a picture file.

    Args:
        path: The file. Its name need not be UTF-8, and its content decides on the format.
        working_side: What the longest side of the pixels is wanted to be at least. It comes out
            below twice this; a picture that is smaller keeps its size. By default of a JPEG
            `QUICK_SIDE` is enough, and `Picture.finer` gives it at `WORKING_SIDE`.

    Raises:
        UnreadablePicture: With one sentence that says why and what to do, without the path.
    """
    return decode(read_bytes(path), working_side)


def decode(data: bytes, working_side: int | None = None, limits: Limits = USUAL) -> Picture:
    """Decodes the bytes of a picture file within limits; the rest as for `read`."""
    limits.check_bytes(len(data))
    if not data:
        raise UnreadablePicture(EMPTY)
    data = bytes(data)  # no copy unless it is a bytearray or a memoryview
    header = read_header(data)
    limits.check_size(header)
    limits.check_repeats(data, header)
    if _breaks_off(data, header):
        raise UnreadablePicture(BREAKS_OFF)
    wanted = WORKING_SIDE if working_side is None else working_side
    finest = _choose_reduction(header, wanted)
    # What comes in parts costs nearly as much to decode to any size, and so twice as much in all.
    quickly = working_side is None and not header.in_parts
    quick = _choose_reduction(header, QUICK_SIDE) if quickly else finest
    picture = _decoded(data, header, quick, wanted)
    if quick == finest:
        return picture
    return replace(picture, decode_finer=cache(partial(_decoded, data, header, finest, wanted)))


def from_array(pixels: NDArray[np.uint8], working_side: int = WORKING_SIDE) -> Picture:
    """Takes a picture that is in memory already.

    Args:
        pixels: uint8, H x W or H x W x 1 (grey), H x W x 3 (RGB) or H x W x 4 (RGB and straight
            alpha), upright. Kept, not copied, where it can serve as `Picture.pixels` as it is.
        working_side: As for `read`.

    Raises:
        UsageError: The array has another type or shape, or no pixels.
        UnreadablePicture: The picture does not fit into memory.
    """
    known = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4))
    if not known or pixels.dtype != np.uint8 or pixels.size == 0:
        raise UsageError(
            "A picture must be a uint8 array of H x W, H x W x 1, H x W x 3 (RGB) or H x W x 4"
            f" (RGBA), not {pixels.dtype} of {' x '.join(map(str, pixels.shape))}."
        )
    height, width = pixels.shape[:2]
    try:
        upright = np.ascontiguousarray(pixels)
        if upright.shape[2:] != (3,):
            upright = to_opaque_rgb(upright, premultiplied=False, order="RGB")
        return Picture(_shrink(upright, working_side), width, height)
    except (MemoryError, cv2.error):
        raise UnreadablePicture(TOO_BIG) from None


def _decoded(data: bytes, header: Header, reduction: tuple[int, int], working_side: int) -> Picture:
    try:
        return _decode(data, header, reduction, working_side)
    except MemoryError:
        raise UnreadablePicture(TOO_BIG) from None
    except cv2.error as error:
        no_memory = error.code == _NO_MEMORY
        raise UnreadablePicture(TOO_BIG if no_memory else _UNDECODABLE[header.format]) from None


def _decode(data: bytes, header: Header, reduction: tuple[int, int], working_side: int) -> Picture:
    """Decodes, makes opaque, shrinks and turns upright, in the order that moves the least."""
    factor, flag = reduction
    if header.alpha != "none":
        flag = cv2.IMREAD_UNCHANGED
    stored = _imdecode(data, flag)
    if stored is None and header.format == "tiff":
        # Samples of 32 and 64 bits come only as they are.
        stored = _imdecode(data, cv2.IMREAD_UNCHANGED)
    if stored is None and header.format == "gif" and not gif.opencv_reads_gif():
        stored = gif.first_frame(data)
    if stored is None:
        raise UnreadablePicture(_UNDECODABLE[header.format])
    # For TIFF, OpenCV hands out colours multiplied by alpha, but for samples of 16 bits.
    premultiplied = header.alpha == "premultiplied" or (
        header.format == "tiff" and stored.dtype == np.uint8
    )
    height, width = (header.height, header.width) if factor > 1 else stored.shape[:2]
    if stored.dtype == np.uint8 and stored.shape[2:] in ((), (3,)):  # opaque: less to convert
        stored = _shrink(stored, working_side)
    pixels = _shrink(to_opaque_rgb(stored, premultiplied, order="BGR"), working_side)
    # OpenCV turns TIFF pictures upright itself, whatever the flags; we do it for all others.
    if header.format == "tiff" or header.orientation == 1:
        return Picture(pixels, width, height)
    if header.orientation >= 5:
        width, height = height, width
    return Picture(_turn_upright(pixels, header.orientation), width, height)


def _choose_reduction(header: Header, working_side: int) -> tuple[int, int]:
    """Returns by how much to reduce while decoding, and OpenCV's flag for it.

    Only libjpeg gains by it: for other formats OpenCV decodes all and then drops pixels, where
    `_shrink` averages them.
    """
    if header.format == "jpeg":
        longest = max(header.width, header.height)
        for factor, flag in _REDUCED:
            if longest >= factor * working_side:
                return factor, flag | cv2.IMREAD_IGNORE_ORIENTATION
    return 1, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def _imdecode(data: bytes, flag: int) -> Samples | None:
    """Decodes as OpenCV does: BGR, or with `IMREAD_UNCHANGED` whatever the file holds."""
    return cast("Samples | None", cv2.imdecode(np.frombuffer(data, np.uint8), flag))


def _breaks_off(data: bytes, header: Header) -> bool:
    """Tells whether the end is missing where a decoder would not say so, or too late.

    OpenCV 4.6 gives a JPEG that breaks off with the missing part made up, in which a face may be
    cut or doubled. A whole one has an end marker behind its first scan: the marker cannot occur
    within the scan, and the search from the end finds it at once. (One before the scan belongs to
    a thumbnail.) For a PNG, OpenCV takes as much memory as a chunk claims to have bytes, up to
    2 GiB, before it looks whether they are there. The other formats' decoders refuse what breaks
    off themselves.
    """
    if header.format == "jpeg":
        return data.rfind(b"\xff\xd9", header.begins_at) < 0
    return not header.complete


def _shrink(pixels: NDArray[np.uint8], working_side: int) -> NDArray[np.uint8]:
    """Brings the longest side to `working_side` where it is twice that or more."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest < 2 * working_side:
        return pixels
    size = [max(1, round(side * working_side / longest)) for side in (width, height)]
    return cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _turn_upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Applies an EXIF orientation of 2 to 8."""
    if orientation >= 5:
        pixels = cast("NDArray[np.uint8]", cv2.transpose(pixels))
    # What is left to mirror: 0 top to bottom, 1 left to right, -1 both.
    axis = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if axis is None else cast("NDArray[np.uint8]", cv2.flip(pixels, axis))


def _silence_opencv() -> None:
    """Stops OpenCV's log of undecodable files: what is wrong is said in the error.

    Not where the user has asked for the log. OpenCV 4.6 has the function elsewhere.
    """
    if "OPENCV_LOG_LEVEL" in os.environ:
        return
    place = getattr(cv2.utils, "logging", cv2)
    if hasattr(place, "setLogLevel"):
        place.setLogLevel(0)


_NO_MEMORY = -4  # cv::Error::StsNoMem, which the Python module does not name everywhere
_silence_opencv()
