"""Identifies a picture by what a person sees of it, so that reviews outlast other metadata.

Photo managers write tags, ratings, captions and dates into JPEG, PNG, WebP, HEIC and AVIF files, or
remove them. Of these formats, only the parts are hashed that the pixels or their orientation depend
on; of all others, and of corrupt files, every byte. Colour profiles count as metadata: `decoding`
ignores them. Nothing is decoded, and the number of steps is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.formats import (
    AVIF,
    HEIC,
    JPEG,
    PNG,
    SNIFFED_BYTES,
    WEBP,
    Format,
    sniff,
)
from image_gender_classifier.imaging.headers import TRUNCATED, read_header
from image_gender_classifier.manifest.cache_key import (
    REVIEWED,
    file_hash,
    run_hash_of_parts,
    sha256,
)

Part = bytes | memoryview

_PREFIX = "image:"
_START_DIGITS, _DIGITS = 6, 16
_START_BYTES = 4096  # of the parts; beyond the tables of a JPEG
_KINDS = (_PREFIX, "sha256:")
_HASH = re.compile(f"{_PREFIX}[0-9a-f]{{{_START_DIGITS + _DIGITS}}}|sha256:[0-9a-f]{{16}}")

# Maximum number of segments or chunks; far more than any real picture has.
_MAX_STEPS = 100_000
# A marker of JPEG after fill bytes, of which real files have few.
_MARKER = re.compile(rb"\xff{1,64}[\x01-\xfe]")
# The next marker in scan data, where 0xFF precedes a zero, a restart marker or another 0xFF.
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_WITHOUT_CONTENT = frozenset((0x01, *range(0xD0, 0xD9)))  # TEM, RSTn and SOI
_SOS, _EOI, _COMMENT, _ADOBE = 0xDA, 0xD9, 0xFE, 0xEE
_PNG_SEEN = frozenset((b"tRNS", b"acTL", b"fcTL", b"fdAT"))  # besides the critical chunks
_WEBP_SEEN = frozenset((b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"))


def content_hash(data: bytes) -> str:
    """Returns a hash of what a person sees of a picture, such as `image:` and 22 digits.

    The first digits are those of `hash_start`.

    Args:
        data: The whole file.
    """
    # The prefix keeps spreadsheets from reading a number.
    return hash_start(data) + sha256(*_list_parts(data))[:_DIGITS]


def hash_start(data: bytes) -> str:
    """Returns the beginning of `content_hash`, which depends on few bytes and takes no time."""
    start = b""
    try:
        for part in _split(data):
            start += part[:_START_BYTES]
            if len(start) >= _START_BYTES:  # a further part may take a search
                break
    except UnreadablePicture:
        start = data[:_START_BYTES]
    return _PREFIX + sha256(start[:_START_BYTES])[:_START_DIGITS]


def get_start(picture: str) -> str:
    """Returns what `hash_start` returns for the picture of a `content_hash`."""
    return picture[: len(_PREFIX) + _START_DIGITS]


def is_hash(text: str) -> bool:
    """Returns whether a text is a `content_hash`, or a `file_hash` as in version 0.2.0."""
    return _HASH.fullmatch(text) is not None


def begins_like_hash(text: str) -> bool:
    """Returns whether a text is a hash (see `is_hash`), also a damaged one."""
    return text.lower().startswith(_KINDS)


def is_content_hash(text: str) -> bool:
    """Returns whether a text is a hash by `content_hash`, and not by an earlier version."""
    return text.startswith(_PREFIX)


def is_hash_of(text: str, data: bytes) -> bool:
    """Returns whether a text is the hash of a picture, by this version or an earlier one."""
    return text == (content_hash(data) if is_content_hash(text) else file_hash(data))


def review_run(data: bytes) -> str:
    """Returns the `run` of a reviewed picture; that of version 0.2.0 was the hash of all bytes."""
    return run_hash_of_parts(_list_parts(data), REVIEWED)


def _list_parts(data: bytes) -> list[Part]:
    """Returns the parts of a file that are hashed."""
    try:
        return list(_split(data))
    except UnreadablePicture:
        return [data]


def _split(data: bytes) -> Iterator[Part]:
    """Yields the parts that a person sees: the facts of the header, then parts of the file.

    Raises:
        UnreadablePicture: The file is corrupt or truncated; some parts may have been yielded.
    """
    kind = sniff(data[:SNIFFED_BYTES])
    if kind is HEIC or kind is AVIF:
        from image_gender_classifier.outputs import heif_content  # late: few runs need it

        yield kind.name.encode()
        yield from heif_content.split(data)
        return
    split = None if kind is None else _SPLITTERS.get(kind)
    if kind is None or split is None:
        yield data
        return
    header = read_header(data, kind)
    seen = (header.width, header.height, header.orientation, header.transparent)
    yield repr((kind.name, *seen)).encode()
    yield from split(data)


def _split_jpeg(data: bytes) -> Iterator[Part]:
    """Yields the segments and scans up to the EOI (end of image) marker, without metadata.

    The JFIF header counts as metadata: it decides the colours only of a file whose other segments
    contradict it.
    """
    view = memoryview(data)
    at = 2
    for _ in range(_MAX_STEPS):
        found = _MARKER.match(data, at)
        if found is None:
            break
        at = found.end()
        marker = data[at - 1]
        if marker == _EOI:
            return
        length = int.from_bytes(data[at : at + 2], "big")
        if marker in _WITHOUT_CONTENT or length < 2 or at + length > len(data):
            break
        application = 0xE0 <= marker <= 0xEF
        colours = marker == _ADOBE and data[at + 2 : at + 7] == b"Adobe"
        if colours or not (application or marker == _COMMENT):
            yield view[at - 1 : at + length]
        at += length
        if marker == _SOS:
            # The beginning alone first: `hash_start` needs no search for the end.
            for stop in (at + _START_BYTES, len(data)):
                found = _SCAN_END.search(data, at, stop)
                end = max(stop - 1, at) if found is None else found.start()
                yield view[at:end]
                at = end
                if found is not None:
                    break
    raise UnreadablePicture(TRUNCATED)


def _split_png(data: bytes) -> Iterator[Part]:
    """Yields the chunks up to IEND, without metadata."""
    view = memoryview(data)
    at = 8
    for _ in range(_MAX_STEPS):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if not kind.isalpha() or end > len(data):
            break
        if kind[:1].isupper() or kind in _PNG_SEEN:  # a capital: a critical chunk
            yield view[at:end]
        if kind == b"IEND":
            return
        at = end
    raise UnreadablePicture(TRUNCATED)


def _split_webp(data: bytes) -> Iterator[Part]:
    """Yields the chunks with pixels.

    The header of the extended format (VP8X) is left out: programs add it for metadata.
    """
    view = memoryview(data)
    at, last = 12, 8 + int.from_bytes(data[4:8], "little")
    for _ in range(_MAX_STEPS):
        if at >= last:
            return
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + length
        if end > min(last, len(data)):
            break
        if kind in _WEBP_SEEN:
            yield view[at:end]
        at = end + (length & 1)
    raise UnreadablePicture(TRUNCATED)


_SPLITTERS: dict[Format, Callable[[bytes], Iterator[Part]]] = {
    JPEG: _split_jpeg,
    PNG: _split_png,
    WEBP: _split_webp,
}
