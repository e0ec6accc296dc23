"""Parses the headers of JPEG, PNG and WebP files: size, orientation and transparency.

The size decides how far a JPEG can be reduced while decoding, and `Limits` checks it.
Orientation and transparency are parsed here because OpenCV versions handle them differently.

The parsers accept arbitrary bytes: the only exception is `UnreadablePicture`, and the number of
steps is bounded.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.formats import JPEG, PNG, WEBP, Format
from image_gender_classifier.imaging.tiff_tags import read_orientation

TRUNCATED = "truncated picture file; copy it again from its source"
_CORRUPT = "corrupt picture header; copy the file again from its source"

# Maximum number of segments or chunks; far more than any real picture has.
_MAX_STEPS = 100_000
_ANIMATED_FACTOR = 3  # the WebP decoder holds the frame, its predecessor and their composite
# A marker, found as in libjpeg: 0xFF and a byte that is neither a fill byte nor a stuffed zero.
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xfe]")


class Header(NamedTuple):
    """The header of a picture.

    Attributes:
        format: Format of the content, regardless of the file name.
        width: Width in pixels as stored, before the orientation is applied.
        height: Height in pixels as stored, before the orientation is applied.
        orientation: EXIF orientation, 1 (upright) to 8.
        transparent: Whether the picture has an alpha channel or a transparent colour.
        data_offset: Offset in bytes just after the first SOS (start of scan) marker of a JPEG; 0 in
            other formats.
        components: Number of colour components of a JPEG; 0 in other formats.
        multi_scan: Whether a JPEG is progressive or not interleaved, so that libjpeg must hold the
            whole picture in memory; False in other formats.
        plain: False for a PNG that is truncated or animated (APNG), which OpenCV must not decode:
            it allocates the stated size of a chunk, up to 2 GiB, and the frame that it returns
            depends on its version.
        memory_factor: Memory for decoding a pixel, relative to a pixel of an 8-bit RGB picture; at
            least 1.
    """

    format: Format
    width: int
    height: int
    orientation: int = 1
    transparent: bool = False
    data_offset: int = 0
    components: int = 0
    multi_scan: bool = False
    plain: bool = True
    memory_factor: int = 1


def read_header(data: bytes, kind: Format) -> Header:
    """Parses the header of a JPEG, PNG or WebP file and returns it.

    Args:
        data: The whole file. The beginning is enough for the size, but a PNG or WebP file may have
            its orientation at the end, and `plain` needs the whole PNG.
        kind: The format: `JPEG`, `PNG` or `WEBP`.

    Raises:
        UnreadablePicture: The header is corrupt or truncated, or libjpeg does not decode this kind
            of JPEG.
    """
    header = {JPEG: _read_jpeg, PNG: _read_png, WEBP: _read_webp}[kind](data)
    if header.width < 1 or header.height < 1:
        raise UnreadablePicture(_CORRUPT)
    return header


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    """Unpacks numbers at an offset in bytes; raises `UnreadablePicture` if data are missing."""
    try:
        return struct.unpack_from(layout, data, at)
    except struct.error:
        raise UnreadablePicture(TRUNCATED) from None


def _read_jpeg(data: bytes) -> Header:
    """Parses the segments of a JPEG up to the first SOS (start of scan) marker."""
    width = height = colours = 0
    progressive = False
    orientation: int | None = None
    at = 2
    for _ in range(_MAX_STEPS):
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            raise UnreadablePicture(TRUNCATED)
        at = found.end()
        marker = data[at - 1]
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without content
            continue
        if marker == 0xD9:  # EOI (end of image)
            break
        (length,) = _unpack(">H", data, at)
        if length < 2:
            break
        if marker == 0xDA:  # SOS (start of scan)
            multi_scan = progressive or data[at + 2 : at + 3] < bytes([colours])
            return Header(
                *(JPEG, width, height, orientation or 1),
                data_offset=at,
                components=colours,
                multi_scan=multi_scan,
            )
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, colours = _read_jpeg_frame(data, at + 2, marker)
            progressive = marker in (0xC2, 0xCA)
        elif marker == 0xE1 and orientation is None and data[at + 2 : at + 8] == b"Exif\0\0":
            orientation = read_orientation(data, at + 8, at + length)
        at += length
    raise UnreadablePicture(_CORRUPT)


def _read_jpeg_frame(data: bytes, at: int, marker: int) -> tuple[int, int, int]:
    """Parses an SOF (start of frame) segment.

    Returns:
        Height, width and number of colour components.

    Raises:
        UnreadablePicture: libjpeg does not decode this kind of JPEG.
    """
    bits, height, width, colours = _unpack(">BHHB", data, at)
    if bits != 8:
        raise UnreadablePicture(
            f"unsupported JPEG with {bits} bits per channel; re-save it as baseline JPEG"
        )
    if marker in (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF):
        raise UnreadablePicture("unsupported hierarchical JPEG; re-save it as baseline JPEG")
    return height, width, colours


def _read_png(data: bytes) -> Header:
    """Parses the chunks of a PNG up to IEND; the orientation (eXIf) may be after the pixels."""
    if _unpack(">II", data, 8) != (13, int.from_bytes(b"IHDR", "big")):
        raise UnreadablePicture(_CORRUPT)
    width, height, bits, colour = _unpack(">IIBB", data, 16)
    transparent, orientation, at = colour in (4, 6), 1, 33
    plain = pixels = animated = False
    for _ in range(_MAX_STEPS):
        if at + 8 > len(data):
            break
        (length,) = _unpack(">I", data, at)
        kind = data[at + 4 : at + 8]
        if kind == b"tRNS":
            transparent = True
        elif kind == b"eXIf":
            orientation = read_orientation(data, at + 8, at + 8 + length)
        elif kind == b"acTL":
            animated = True
        elif kind == b"IDAT":
            pixels = True
        elif kind == b"IEND":
            # Without pixel data OpenCV reads on beyond IEND.
            plain = pixels and not animated and at + 12 <= len(data)
            break
        at += 12 + length
    memory_factor = 2 if transparent and bits == 16 else 1  # OpenCV reduces others to 8 bits
    return Header(
        *(PNG, width, height, orientation, transparent),
        plain=plain,
        memory_factor=memory_factor,
    )


def _read_webp(data: bytes) -> Header:
    """Parses the header of an extended (VP8X), lossless (VP8L) or lossy (VP8) WebP file."""
    kind = data[12:16]
    if kind == b"VP8X":
        flags, w_low, w_high, h_low, h_high = _unpack("<B3xHBHB", data, 20)
        width, height = 1 + (w_high << 16 | w_low), 1 + (h_high << 16 | h_low)
        orientation = _find_webp_orientation(data) if flags & 0x08 else 1
        memory_factor = _ANIMATED_FACTOR if flags & 0x02 else 1
        transparent = bool(flags & 0x10)
        return Header(WEBP, width, height, orientation, transparent, memory_factor=memory_factor)
    if kind == b"VP8L":
        signature, bits = _unpack("<BI", data, 20)
        if signature != 0x2F:
            raise UnreadablePicture(_CORRUPT)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        return Header(WEBP, width, height, transparent=bool(bits >> 28 & 1))
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = _unpack("<HH", data, 26)
        return Header(WEBP, width & 0x3FFF, height & 0x3FFF)
    raise UnreadablePicture(TRUNCATED if len(data) < 30 else _CORRUPT)


def _find_webp_orientation(data: bytes) -> int:
    """Returns the EXIF orientation of an extended WebP file; 1 (upright) if there is none.

    The EXIF chunk is after the pixels, so this walks all chunks.
    """
    at = 12
    for _ in range(_MAX_STEPS):
        if at + 8 > len(data):
            break
        (length,) = _unpack("<I", data, at + 4)
        if data[at : at + 4] == b"EXIF":
            # Some programs keep the prefix of JPEG.
            skip = 6 if data[at + 8 : at + 14] == b"Exif\0\0" else 0
            return read_orientation(data, at + 8 + skip, at + 8 + length)
        at += 8 + length + (length & 1)
    return 1
