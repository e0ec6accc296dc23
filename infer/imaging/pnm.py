"""Decodes PNM (PBM, PGM and PPM, plain and binary) with NumPy.

Pillow decodes plain (text) files, and those of unusual depth, in Python, which takes half a minute
for 4 megapixels.
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
_MAX_NUMBERS = 2**24  # in a plain file; NumPy parses some millions per second
_BLOCK = 2**20  # number of bytes or samples at a time, to limit memory
_SPACE = b" \t\n\r\v\f"
_NUMBER = rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,10})"
_SIZE = re.compile(rb"P([1-6])" + 2 * _NUMBER)
_MAXVAL = re.compile(_NUMBER)
_COMMENT = re.compile(rb"#[^\r\n]*")
_LINE_END = re.compile(rb"[\r\n]")


class _Layout(NamedTuple):
    """The header of a PNM file.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        channels: 1 (grey, or black and white) or 3 (RGB).
        maxval: Value of white, 1 to 65535; 0 for a bitmap (PBM), in which 1 is black.
        plain: Whether the samples are text.
        start: Offset of the samples in bytes.
    """

    width: int
    height: int
    channels: int
    maxval: int
    plain: bool
    start: int

    @property
    def samples(self) -> int:
        """Number of samples: width x height x channels."""
        return self.width * self.height * self.channels


def decode(data: bytes, limits: Limits) -> NDArray[np.uint8]:
    """Decodes the first picture of a PNM file.

    Args:
        data: The whole file.
        limits: Decompression-bomb limits, checked before a pixel is decoded.

    Returns:
        uint8 RGB, H x W x 3, C-contiguous.

    Raises:
        UnreadablePicture: The picture is corrupt, truncated or too large.
        MemoryError, cv2.error: There is not enough memory; see `memory_errors.is_out_of_memory`.
    """
    layout = _read_layout(data)
    limits.check_size(Header(PNM, layout.width, layout.height))
    if layout.maxval == 0:
        blocks = (
            _read_plain_bitmap(data, layout) if layout.plain else _read_binary_bitmap(data, layout)
        )
    else:
        if layout.plain and layout.samples > _MAX_NUMBERS:
            raise UnreadablePicture(
                f"the plain PNM has {layout.samples:,} numbers, more than the limit of"
                f" {_MAX_NUMBERS:,}; save it as PNG"
            )
        blocks = (
            _read_plain_samples(data, layout)
            if layout.plain
            else _read_binary_samples(data, layout)
        )
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
    """Parses the header; raises `UnreadablePicture` if it is corrupt."""
    first_bytes = data[:_HEADER_BYTES]
    found = _SIZE.match(first_bytes)
    if found is None:
        raise UnreadablePicture(_CORRUPT)
    kind, width, height = map(int, found.groups())
    maxval = 0
    if kind not in (1, 4):
        found = _MAXVAL.match(first_bytes, found.end())
        if found is None or not 1 <= int(found[1]) < 2**16:
            raise UnreadablePicture(_CORRUPT)
        maxval = int(found[1])
    if min(width, height) < 1:
        raise UnreadablePicture(_CORRUPT)
    channels = 3 if kind in (3, 6) else 1
    return _Layout(width, height, channels, maxval, kind <= 3, found.end() + 1)


def _read_binary_bitmap(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    """Yields the pixels (0 or 255) of a binary bitmap (P4), in blocks of whole rows.

    Each row starts with a new byte. A truncated row is omitted.
    """
    row_bytes = -(-layout.width // 8)
    step = max(_BLOCK // row_bytes, 1)
    whole = (len(data) - layout.start) // row_bytes
    for top in range(0, min(whole, layout.height), step):
        rows = min(step, whole - top)
        block = np.frombuffer(data, np.uint8, rows * row_bytes, layout.start + top * row_bytes)
        bits = np.unpackbits(block.reshape(rows, row_bytes), axis=1, count=layout.width)
        yield (255 * (1 - bits)).reshape(-1)


def _read_binary_samples(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    """Yields the samples of a binary PGM or PPM file (P5, P6), in blocks scaled to 0..255."""
    kind = np.dtype(np.uint8 if layout.maxval < 2**8 else ">u2")
    table = _scale(np.arange(2 ** (8 * kind.itemsize)), layout.maxval)
    stored = max(len(data) - layout.start, 0) // kind.itemsize
    for first in range(0, min(stored, layout.samples), _BLOCK):
        count = min(_BLOCK, stored - first)
        yield table[np.frombuffer(data, kind, count, layout.start + first * kind.itemsize)]


def _read_plain_bitmap(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    """Yields the pixels (0 or 255) of a plain bitmap (P1); white space between digits is optional.

    Raises:
        UnreadablePicture: See `_split_plain_text`.
    """
    for text in _split_plain_text(data, layout.start, b"01"):
        digits = np.frombuffer(text.translate(None, _SPACE), np.uint8)
        yield np.where(digits == ord("0"), np.uint8(255), np.uint8(0))


def _read_plain_samples(data: bytes, layout: _Layout) -> Iterator[NDArray[np.uint8]]:
    """Yields the samples of a plain PGM or PPM file (P2, P3), in blocks scaled to 0..255.

    Raises:
        UnreadablePicture: A number exceeds `maxval`; see also `_split_plain_text`.
    """
    for text in _split_plain_text(data, layout.start, b"0123456789"):
        numbers = np.fromstring(text, np.int64, sep=" ")
        if numbers.max(initial=0) > layout.maxval:
            raise UnreadablePicture(_CORRUPT)
        yield _scale(numbers, layout.maxval)


def _split_plain_text(data: bytes, at: int, digits: bytes) -> Iterator[bytes]:
    """Yields the samples of a plain file as text, in blocks of about 1 MiB, without comments.

    A block ends at white space or a comment, so that no number is split.

    Args:
        data: The whole file.
        at: Offset of the samples in bytes.
        digits: The digits that the samples may have.

    Raises:
        UnreadablePicture: There is something other than digits, white space and comments, or there
            are too many comments.
    """
    if data.count(b"#", at) > _MAX_COMMENTS:
        raise UnreadablePicture(
            f"the plain PNM has more than {_MAX_COMMENTS:,} comments; save it as PNG"
        )
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


def _scale(numbers: NDArray[np.int64], maxval: int) -> NDArray[np.uint8]:
    """Scales samples from 0..maxval to 0..255, rounded; higher samples become 255."""
    return ((np.minimum(numbers, maxval) * 510 + maxval) // (2 * maxval)).astype(np.uint8)
