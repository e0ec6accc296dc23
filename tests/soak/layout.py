"""Offsets of chunks, segments, blocks and tags in picture files, and of the numbers in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

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
    }[base.form]
    return sorted({at for at in walk(base.data) if 0 <= at < len(base.data)})


def numbers(base: Base) -> list[Number]:
    """Returns the sizes, lengths and counts in the headers."""
    data, starts = base.data, pieces(base)
    if base.form == "PNG":
        frame = [Number(16, ">I"), Number(20, ">I"), Number(24, "B"), Number(25, "B")]
        return frame + [Number(at, ">I") for at in starts[1:]]
    if base.form == "JPEG":
        found = [Number(at + 2, ">H") for at in starts[1:-1]]
        for at in starts:
            if data[at + 1] in (0xC0, 0xC2):
                found += [Number(at + 5, ">H"), Number(at + 7, ">H"), Number(at + 9, "B")]
                found += [Number(at + 11, "B")]  # sampling factors of the first component
        return found
    if base.form == "WEBP":
        found = [Number(4, "<I")] + [Number(at + 4, "<I") for at in starts[1:]]
        return [*found, Number(20, "<I"), Number(24, "<I"), Number(26, "<I"), Number(28, "<H")]
    if base.form == "GIF":
        found = [Number(6, "<H"), Number(8, "<H"), Number(10, "B")]
        for at in starts:
            if data[at] == ord(","):
                found += [Number(at + place, "<H") for place in (1, 3, 5, 7)]
                found += [Number(at + 9, "B"), Number(at + 10, "B")]
        return found
    if base.form == "TIFF":
        big = data[2] == 43
        found = [Number(4, "<I")]
        for at in starts[1:]:
            found += [Number(at + 2, "<H"), Number(at + 4, "<I")]
            found.append(Number(at + 12, "<Q") if big else Number(at + 8, "<I"))
        return [number for number in found if number.at + 8 <= len(data)]
    return [Number(at, "<I") for at in (2, 10, 14, 18, 22, 30, 34, 46)] + [Number(28, "<H")]


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
