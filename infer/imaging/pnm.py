"""Decodes PNM (PBM, PGM and PPM, plain and binary) with NumPy.

Pillow decodes plain ones, and those of unusual depth, in Python: half a minute for 4 megapixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.alpha import to_opaque_rgb
from image_gender_classifier.imaging.formats import PNM
from image_gender_classifier.imaging.headers import TRUNCATED, Header
from image_gender_classifier.imaging.limits import Limits

_CORRUPT = "corrupt PNM; copy it again or save it as PNG"
_HEADER_BYTES = 2**16  # more than any real header has
_MAX_COMMENTS = 2**12  # far more than any real plain file has
_MAX_NUMBERS = 2**24  # of a plain file; NumPy reads some million in a second
_BLOCK = 2**20  # bytes or samples at a time, to limit memory
_SPACE = b" \t\n\r\v\f"
_NUMBER = rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,10})"
_SIZE = re.compile(rb"P([1-6])" + 2 * _NUMBER)
_HIGHEST = re.compile(_NUMBER)
_COMMENT = re.compile(rb"#[^\r\n]*")
_LINE_END = re.compile(rb"[\r\n]")


class _Layout(NamedTuple):
    """What the header says.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        channels: 1 (grey, or black and white) or 3.
        highest: The sample of white; 0 for a bitmap, whose 1 is black.
        plain: Whether the samples are text.
        start: Offset of the samples in bytes.
    """

    width: int
    height: int
    channels: int
    highest: int
    plain: bool
    start: int

    @property
    def samples(self) -> int:
        return self.width * self.height * self.channels


def decode(data: bytes, limits: Limits) -> NDArray[np.uint8]:
    """Decodes a picture to RGB: H x W x 3, uint8, C-contiguous.

    Args:
        data: The whole file.
        limits: The limits, checked before a pixel is decoded.

    Raises:
        UnreadablePicture: The picture is corrupt, truncated or too large.
    """
    layout = _read_layout(data)
    limits.check_size(Header(PNM, layout.width, layout.height))
    if layout.highest == 0:
        blocks = _plain_bits(data, layout) if layout.plain else _packed_bits(data, layout)
    else:
        if layout.plain and layout.samples > _MAX_NUMBERS:
            raise UnreadablePicture(
                f"the plain PNM has {layout.samples:,} numbers, more than the limit of"
                f" {_MAX_NUMBERS:,}; save it as PNG"
            )
        blocks = _plain_numbers(data, layout) if layout.plain else _binary_numbers(data, layout)
    scaled, end = np.empty(layout.samples, np.uint8), 0
    for block in blocks:
        needed = block[: layout.samples - end]
        scaled[end : end + needed.size] = needed
        end += needed.size
        if end == layout.samples:
            break
    if end < layout.samples:
        raise UnreadablePicture(TRUNCATED)
    pixels = scaled.reshape(layout.height, layout.width, layout.channels)
    return pixels if layout.channels == 3 else to_opaque_rgb(pixels, order="RGB")


def _read_layout(data: bytes) -> _Layout:
    first_bytes = data[:_HEADER_BYTES]
    found = _SIZE.match(first_bytes)
    if found is None:
        raise UnreadablePicture(_CORRUPT)
    kind, width, height = map(int, found.groups())
    highest = 0
    if kind not in (1, 4):
        found = _HIGHEST.match(first_bytes, found.end())
        if found is None or not 1 <= int(found[1]) < 2**16:
            raise UnreadablePicture(_CORRUPT)
        highest = int(found[1])
    if min(width, height) < 1:
        raise UnreadablePicture(_CORRUPT)
    channels = 3 if kind in (3, 6) else 1
    return _Layout(width, height, channels, highest, kind <= 3, found.end() + 1)


def _packed_bits(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    """Yields rows of a binary bitmap, each of which starts with a new byte."""
    row_bytes = -(-layout.width // 8)
    step = max(_BLOCK // row_bytes, 1)
    whole = (len(data) - layout.start) // row_bytes
    for top in range(0, min(whole, layout.height), step):
        rows = min(step, whole - top)
        block = np.frombuffer(data, np.uint8, rows * row_bytes, layout.start + top * row_bytes)
        bits = np.unpackbits(block.reshape(rows, row_bytes), axis=1, count=layout.width)
        yield (255 * (1 - bits)).reshape(-1)


def _binary_numbers(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    kind = np.dtype(np.uint8 if layout.highest < 2**8 else ">u2")
    table = _scale(np.arange(2 ** (8 * kind.itemsize)), layout.highest)
    stored = max(len(data) - layout.start, 0) // kind.itemsize
    for first in range(0, min(stored, layout.samples), _BLOCK):
        count = min(_BLOCK, stored - first)
        yield table[np.frombuffer(data, kind, count, layout.start + first * kind.itemsize)]


def _plain_bits(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    """Yields the samples of a plain bitmap, whose digits need no space between them."""
    for text in _plain_blocks(data, layout.start, b"01"):
        digits = np.frombuffer(text.translate(None, _SPACE), np.uint8)
        yield np.where(digits == ord("0"), np.uint8(255), np.uint8(0))


def _plain_numbers(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    for text in _plain_blocks(data, layout.start, b"0123456789"):
        numbers = np.fromstring(text, np.int64, sep=" ")
        if numbers.max(initial=0) > layout.highest:
            raise UnreadablePicture(_CORRUPT)
        yield _scale(numbers, layout.highest)


def _plain_blocks(data: bytes, at: int, digits: bytes) -> Iterator[bytes]:
    """Yields the text without comments, in parts that end between two numbers.

    Raises:
        UnreadablePicture: There is something else than digits and space.
    """
    if data.count(b"#", at) > _MAX_COMMENTS:
        raise UnreadablePicture(_CORRUPT)
    space = re.compile(b"[%s]" % _SPACE)
    while at < len(data):
        cut = space.search(data, at + _BLOCK)
        end = cut.end() if cut else len(data)
        comment = data.rfind(b"#", at, end)
        if comment >= 0:
            line_end = _LINE_END.search(data, comment)
            end = max(end, line_end.end() if line_end else len(data))
        text = _COMMENT.sub(b"", data[at:end])
        if text.translate(None, digits + _SPACE):
            raise UnreadablePicture(_CORRUPT)
        if not text.isspace() and text:
            yield text
        at = end


def _scale(numbers: NDArray[np.int64], highest: int) -> NDArray[np.uint8]:
    """Scales samples from 0..highest to 0..255; higher ones are white."""
    return ((np.minimum(numbers, highest) * 510 + highest) // (2 * highest)).astype(np.uint8)
