"""Offsets of chunks, segments, blocks and tags in picture files, and of the numbers in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from soak import boxes
from soak.bases import Base


class Number(NamedTuple):
    """A number in a header: its offset in bytes and its struct code."""

    at: int
    code: str


def pieces(base: Base) -> list[int]:
    """Returns the offset in bytes of each chunk, segment, block or tag."""
    walk = {
        "JPEG": _segments,
        "PNG": _png_chunks,
        "WEBP": _riff_chunks,
        "GIF": _gif_blocks,
        "TIFF": _tags,
        "BMP": _bmp_parts,
        "AVIF": boxes.starts,
        "HEIF": boxes.starts,
        "JPEG2000": boxes.starts,
        "ICO": _icon_parts,
    }.get(base.form, _header_fields)
    return sorted({at for at in walk(base.data) if 0 <= at < len(base.data)})


def numbers(base: Base) -> list[Number]:
    """Returns the sizes, lengths and counts in the headers."""
    find = {
        "JPEG": _numbers_of_jpeg,
        "PNG": _numbers_of_png,
        "WEBP": _numbers_of_webp,
        "GIF": _numbers_of_gif,
        "TIFF": _numbers_of_tiff,
        "BMP": _numbers_of_bmp,
        "AVIF": boxes.numbers,
        "HEIF": boxes.numbers,
        "JPEG2000": boxes.numbers,
        "ICO": _numbers_of_ico,
    }.get(base.form, _numbers_of_header)
    found = (Number(at, code) for at, code in find(base.data, pieces(base)))
    return [number for number in found if number.at + 8 <= len(base.data)]


def _numbers_of_png(_: bytes, starts: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield from ((16, ">I"), (20, ">I"), (24, "B"), (25, "B"))
    yield from ((at, ">I") for at in starts[1:])


def _numbers_of_jpeg(data: bytes, starts: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield from ((at + 2, ">H") for at in starts[1:-1])
    for at in starts:
        if data[at + 1] in (0xC0, 0xC2):
            yield from ((at + 5, ">H"), (at + 7, ">H"), (at + 9, "B"))
            yield at + 11, "B"  # sampling factors of the first component


def _numbers_of_webp(_: bytes, starts: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield 4, "<I"
    yield from ((at + 4, "<I") for at in starts[1:])
    yield from ((20, "<I"), (24, "<I"), (26, "<I"), (28, "<H"))


def _numbers_of_gif(data: bytes, starts: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield from ((6, "<H"), (8, "<H"), (10, "B"))
    for at in starts:
        if data[at] == ord(","):
            yield from ((at + place, "<H") for place in (1, 3, 5, 7))
            yield from ((at + 9, "B"), (at + 10, "B"))


def _numbers_of_tiff(data: bytes, starts: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield 4, "<I"
    for at in starts[1:]:
        yield from ((at + 2, "<H"), (at + 4, "<I"))
        yield (at + 12, "<Q") if data[2] == 43 else (at + 8, "<I")


def _numbers_of_bmp(_: bytes, __: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield from ((at, "<I") for at in (2, 10, 14, 18, 22, 30, 34, 46))
    yield 28, "<H"


def _numbers_of_ico(_: bytes, starts: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield 4, "<H"
    for at in range(6, 38, 16):  # the entries
        yield from ((at, "B"), (at + 1, "B"), (at + 6, "<H"), (at + 8, "<I"), (at + 12, "<I"))
    for at in starts[-2:]:  # sizes of a PNG file, and of a bitmap
        yield from ((at + 16, ">I"), (at + 20, ">I"), (at + 4, "<I"), (at + 8, "<I"))


def _numbers_of_header(_: bytes, __: Sequence[int]) -> Iterator[tuple[int, str]]:
    yield from ((at, code) for at in range(2, 20, 2) for code in ("<H", ">H"))


def _png_chunks(data: bytes) -> Iterator[int]:
    yield 0
    at = 8
    while at + 8 <= len(data):
        yield at
        at += 12 + struct.unpack_from(">I", data, at)[0]


def _segments(data: bytes) -> Iterator[int]:
    yield 0
    at = 2
    while data[at + 1] != 0xDA:
        yield at
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    yield at
    yield len(data) - 2


def _riff_chunks(data: bytes) -> Iterator[int]:
    yield 0
    at = 12
    while at + 8 <= len(data):
        yield at
        length = struct.unpack_from("<I", data, at + 4)[0]
        at += 8 + length + length % 2


def _gif_blocks(data: bytes) -> Iterator[int]:
    yield 0
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while data[at] != ord(";"):
        yield at
        if data[at] == ord(","):
            at += 11 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0)
        else:
            at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    yield at


def _tags(data: bytes) -> Iterator[int]:
    yield 0
    big = data[2] == 43
    first = struct.unpack_from("<Q" if big else "<I", data, 8 if big else 4)[0]
    count = struct.unpack_from("<Q" if big else "<H", data, first)[0]
    start, size = first + (8 if big else 2), 20 if big else 12
    for number in range(count):
        yield start + size * number


def _bmp_parts(data: bytes) -> Iterator[int]:
    yield from (0, 14, 54, struct.unpack_from("<I", data, 10)[0])


def _icon_parts(data: bytes) -> Iterator[int]:
    yield from (0, 6, 22, 38)
    for at in (18, 34):
        yield struct.unpack_from("<I", data, at)[0]


def _header_fields(_: bytes) -> Iterator[int]:
    """Fields of an old format with a header of fixed length."""
    yield from range(0, 20, 2)
