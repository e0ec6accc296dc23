"""Offsets of the boxes of AVIF, HEIC and JPEG 2000 files, and of the numbers in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

# Boxes with boxes inside, and the length of what comes before these.
_OUTER = {b"meta": 12, b"iprp": 8, b"ipco": 8, b"jp2h": 8, b"moov": 8, b"trak": 8}
_CODESTREAM = b"\xff\x4f\xff\x51"
_CODESTREAM_HEADER = 130  # bytes, about


def starts(data: bytes) -> Iterator[int]:
    """Yields the offset in bytes of each box, and every second one of a codestream's header."""
    yield 0
    yield from _boxes(data, 0, len(data))
    at = data.find(_CODESTREAM)
    if at >= 0:
        yield from range(at, min(at + _CODESTREAM_HEADER, len(data)), 2)


def _boxes(data: bytes, at: int, end: int) -> Iterator[int]:
    while at + 8 <= end:
        yield at
        length, name = struct.unpack_from(">I4s", data, at)
        if not 8 <= length <= end - at:
            break
        if name in _OUTER:
            yield from _boxes(data, at + _OUTER[name], at + length)
        at += length


def numbers(data: bytes, _: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yields offset and struct code of lengths, and of the numbers in boxes that state sizes."""
    yield from ((at, ">I") for at in _boxes(data, 0, len(data)))
    for name in (b"ispe", b"ihdr"):
        at = data.find(name)
        if at >= 0:
            yield from ((at + 4 * place, ">I") for place in (1, 2, 3))
    at = data.find(b"iloc")
    if at >= 0:
        yield from ((at + 8 + 2 * place, ">H") for place in range(12))
    at = data.find(_CODESTREAM)
    if at >= 0:  # sizes of the picture and its tiles, and the number of components
        yield from ((at + 8 + 4 * place, ">I") for place in range(8))
        yield from ((at + 4, ">H"), (at + 40, ">H"), (at + 42, "B"))
