"""Parses the headers of picture files: format, size, orientation and alpha.

The size decides how far a JPEG can be reduced while decoding, and is checked against the limits.
Orientation and alpha are parsed here because OpenCV versions handle them differently.

The parsers accept arbitrary bytes: the only error is `UnreadablePicture`, and the number of steps
is bounded.
"""

from __future__ import annotations

import re
import struct
from math import ceil
from typing import Literal, NamedTuple

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.tiff_tags import read_orientation, read_tags

Format = Literal["jpeg", "png", "webp", "bmp", "tiff", "gif"]
Alpha = Literal["none", "straight", "premultiplied"]

# In lower case.
EXTENSIONS = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"),
        ".gif",
        # Not supported, but common on phones: they are listed to be reported as unreadable.
        *(".heic", ".heif", ".avif"),
    )
)

TRUNCATED = "truncated picture file; copy it again from its source"
_CORRUPT = "corrupt picture header; copy the file again from its source"
_NO_PICTURE = "not a JPEG, PNG, WebP, BMP, TIFF or GIF picture; convert it to one of these formats"
_HEIF = "HEIC, AVIF and video files are not supported; convert the file to JPEG"

# Of segments or chunks; far more than any real picture has.
_MAX_STEPS = 100_000
_BMP_HEADER_SIZES = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # with +: BigTIFF
_LARGE_TILE = 2**22  # pixels
_MAX_BITS = 64  # of a TIFF sample
_ANIMATED_FACTOR = 3  # the WebP decoder holds the frame, its predecessor and their composite
_TIFF_ALPHA: dict[int, Alpha] = {1: "premultiplied", 2: "straight"}
# The last 0xFF before a byte that is neither a fill byte nor a stuffed zero, as in libjpeg.
_JPEG_MARKER = re.compile(rb"\xff([\x01-\xfe])")


class Header(NamedTuple):
    """The header of a picture.

    Attributes:
        format: Format of the content, regardless of the file name.
        width: Width in pixels as stored, before the orientation is applied.
        height: Height in pixels as stored.
        orientation: EXIF orientation, 1 (upright) to 8.
        alpha: Kind of transparency; `premultiplied` if the colours are multiplied by alpha.
        data_offset: Offset in bytes after the first scan marker of a JPEG, or of the first frame of
            a GIF; 0 in other formats.
        multi_scan: Whether a JPEG is progressive or not interleaved, so that the decoder must hold
            the whole picture.
        complete: Whether a PNG has pixel data, and no chunk ends after the given bytes.
        memory_factor: Memory for decoding a pixel, as a multiple of an 8-bit RGB pixel.
    """

    format: Format
    width: int
    height: int
    orientation: int = 1
    alpha: Alpha = "none"
    data_offset: int = 0
    multi_scan: bool = False
    complete: bool = True
    memory_factor: int = 1


def sniff(first_bytes: bytes) -> Format | None:
    """Returns the format by a file's first 18 bytes; None if it is not a picture."""
    if first_bytes.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if first_bytes.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if first_bytes[:4] == b"RIFF" and first_bytes[8:12] == b"WEBP":
        return "webp"
    if first_bytes.startswith(_TIFF_MAGICS):
        return "tiff"
    if first_bytes.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    # The two letters alone would match text files.
    if first_bytes[:2] == b"BM" and int.from_bytes(first_bytes[14:18], "little") in (
        _BMP_HEADER_SIZES
    ):
        return "bmp"
    return None


def require_format(first_bytes: bytes) -> Format:
    """Returns the format as `sniff` does; raises `UnreadablePicture` if it is not a picture."""
    kind = sniff(first_bytes)
    if kind is None:
        raise UnreadablePicture(_HEIF if first_bytes[4:8] == b"ftyp" else _NO_PICTURE)
    return kind


def read_header(data: bytes) -> Header:
    """Parses the header of a picture.

    Args:
        data: The whole file. The first part is enough for the size, but the orientation of a PNG,
            WebP or TIFF picture may be at the end.

    Raises:
        UnreadablePicture: The format is unknown, or the header is corrupt, truncated or of an
            unsupported kind.
    """
    kind = require_format(data)
    readers = {
        "jpeg": _read_jpeg,
        "png": _read_png,
        "webp": _read_webp,
        "bmp": _read_bmp,
        "tiff": _read_tiff,
        "gif": _read_gif,
    }
    header = readers[kind](data)
    if header.width < 1 or header.height < 1:
        raise UnreadablePicture(_CORRUPT)
    return header


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    """Unpacks numbers at an offset in bytes; raises `UnreadablePicture` beyond the end."""
    try:
        return struct.unpack_from(layout, data, at)
    except struct.error:
        raise UnreadablePicture(TRUNCATED) from None


def _read_jpeg(data: bytes) -> Header:
    """Follows the segments to the first scan; EXIF may be after the frame header."""
    width = height = colours = 0
    progressive = False
    orientation: int | None = None
    at = 2
    for _ in range(_MAX_STEPS):
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            raise UnreadablePicture(TRUNCATED)
        marker, at = found[1][0], found.end()
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without content
            continue
        if marker == 0xD9:
            break
        (length,) = _unpack(">H", data, at)
        if length < 2:
            break
        if marker == 0xDA:
            multi_scan = progressive or data[at + 2 : at + 3] < bytes([colours])
            return Header(
                "jpeg", width, height, orientation or 1, data_offset=at, multi_scan=multi_scan
            )
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, colours = _read_jpeg_frame(data, at + 2, marker)
            progressive = marker in (0xC2, 0xCA)
        elif marker == 0xE1 and orientation is None and data[at + 2 : at + 8] == b"Exif\0\0":
            orientation = read_orientation(data, at + 8, at + length)
        at += length
    raise UnreadablePicture(_CORRUPT)


def _read_jpeg_frame(data: bytes, at: int, marker: int) -> tuple[int, int, int]:
    """Returns height, width and number of colours; rejects what libjpeg does not decode."""
    bits, height, width, colours = _unpack(">BHHB", data, at)
    if bits != 8:
        raise UnreadablePicture(
            f"unsupported JPEG with {bits} bits per colour; re-save it as baseline JPEG"
        )
    if marker in (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF):
        raise UnreadablePicture("unsupported hierarchical JPEG; re-save it as baseline JPEG")
    return height, width, colours


def _read_png(data: bytes) -> Header:
    """Follows the chunks to the end; EXIF may be after the pixel data."""
    if _unpack(">II", data, 8) != (13, int.from_bytes(b"IHDR", "big")):
        raise UnreadablePicture(_CORRUPT)
    width, height, bits, colour = _unpack(">IIBB", data, 16)
    transparent, orientation, at = colour in (4, 6), 1, 33
    complete, pixels = True, False
    for _ in range(_MAX_STEPS):
        if at + 8 > len(data):  # the decoder reports missing pixels
            break
        (length,) = _unpack(">I", data, at)
        kind = data[at + 4 : at + 8]
        if kind == b"tRNS":
            transparent = True
        elif kind == b"eXIf":
            orientation = read_orientation(data, at + 8, at + 8 + length)
        elif kind == b"IDAT":
            pixels = True
        elif kind == b"IEND":
            complete = pixels  # without pixel data OpenCV reads on beyond IEND
            break
        at += 12 + length
        complete = at <= len(data)
    else:
        complete = False
    alpha: Alpha = "straight" if transparent else "none"
    memory_factor = 2 if transparent and bits == 16 else 1  # without alpha OpenCV decodes to 8 bits
    return Header(
        "png", width, height, orientation, alpha, complete=complete, memory_factor=memory_factor
    )


def _read_webp(data: bytes) -> Header:
    """Reads the header of an extended, lossless or lossy file."""
    kind = data[12:16]
    if kind == b"VP8X":
        flags, w_low, w_high, h_low, h_high = _unpack("<B3xHBHB", data, 20)
        width, height = 1 + (w_high << 16 | w_low), 1 + (h_high << 16 | h_low)
        orientation = _find_webp_orientation(data) if flags & 0x08 else 1
        alpha: Alpha = "straight" if flags & 0x10 else "none"
        memory_factor = _ANIMATED_FACTOR if flags & 0x02 else 1
        return Header("webp", width, height, orientation, alpha, memory_factor=memory_factor)
    if kind == b"VP8L":
        signature, bits = _unpack("<BI", data, 20)
        if signature != 0x2F:
            raise UnreadablePicture(_CORRUPT)
        return Header(
            "webp",
            1 + (bits & 0x3FFF),
            1 + (bits >> 14 & 0x3FFF),
            alpha="straight" if bits >> 28 & 1 else "none",
        )
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = _unpack("<HH", data, 26)
        return Header("webp", width & 0x3FFF, height & 0x3FFF)
    raise UnreadablePicture(TRUNCATED if len(data) < 30 else _CORRUPT)


def _find_webp_orientation(data: bytes) -> int:
    """Follows the chunks to the EXIF block, which is after the pixel data."""
    at = 12
    for _ in range(_MAX_STEPS):
        if at + 8 > len(data):
            break
        (length,) = _unpack("<I", data, at + 4)
        if data[at : at + 4] == b"EXIF":
            # Some writers keep the six-byte prefix of JPEG.
            skip = 6 if data[at + 8 : at + 14] == b"Exif\0\0" else 0
            return read_orientation(data, at + 8 + skip, at + 8 + length)
        at += 8 + length + (length & 1)
    return 1


def _read_bmp(data: bytes) -> Header:
    """Reads an OS/2 or Windows header."""
    (size,) = _unpack("<I", data, 14)
    if size in (12, 16):
        width, height = _unpack("<HH", data, 18) if size == 12 else _unpack("<II", data, 18)
        return Header("bmp", width, height)
    width, height, _, bits, packing = _unpack("<iiHHI", data, 18)
    # Only the later headers have a mask for alpha; elsewhere the fourth byte means nothing.
    masked = size >= 56 and bits == 32 and packing in (3, 6) and _unpack("<I", data, 66) != (0,)
    # A negative height means that the top row comes first.
    return Header("bmp", width, abs(height), alpha="straight" if masked else "none")


def _read_tiff(data: bytes) -> Header:
    """Reads the tags of the first page."""
    width, height, bits, photometric, samples, extra = 256, 257, 258, 262, 277, 338
    across, down = 322, 323  # of a tile, which the decoder holds as a whole
    tags = read_tags(data, (width, height, bits, photometric, samples, extra, across, down))
    if width not in tags or height not in tags:
        raise UnreadablePicture(_CORRUPT)
    tile = tags.get(across, 0) * tags.get(down, 0)
    if tile > max(_LARGE_TILE, 4 * tags[width] * tags[height]):
        raise UnreadablePicture(_CORRUPT)
    alpha: Alpha = "none"
    # A fourth sample of RGB is alpha only if a tag says so; in CMYK it is ink.
    if tags.get(photometric) == 2 and tags.get(samples) == 4:
        alpha = _TIFF_ALPHA.get(tags.get(extra, 0), "none")
    pixel_bits = min(tags.get(bits, 1), _MAX_BITS) * min(tags.get(samples, 1), 4)
    memory_factor = max(ceil(pixel_bits / 32), 1)
    return Header(
        "tiff",
        tags[width],
        tags[height],
        read_orientation(data),
        alpha,
        memory_factor=memory_factor,
    )


def _read_gif(data: bytes) -> Header:
    """Follows the blocks to the first frame."""
    width, height, flags = _unpack("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    transparent = False
    for _ in range(_MAX_STEPS):
        block = data[at : at + 1]
        if block == b",":
            alpha: Alpha = "straight" if transparent else "none"
            return Header("gif", width, height, alpha=alpha, data_offset=at)
        if block != b"!":
            break
        if data[at + 1 : at + 3] == b"\xf9\x04":
            transparent = bool(_unpack("B", data, at + 3)[0] & 1)
        at = _skip_gif_extension(data, at + 2)
    raise UnreadablePicture(TRUNCATED if at >= len(data) else _CORRUPT)


def _skip_gif_extension(data: bytes, at: int) -> int:
    """Returns the offset in bytes after the sub-blocks of an extension; an empty one ends them."""
    for _ in range(_MAX_STEPS):
        (size,) = _unpack("B", data, at)
        at += 1 + size
        if size == 0:
            return at
    raise UnreadablePicture(_CORRUPT)
