"""Reads single tags of a TIFF structure: a TIFF file, or the EXIF block of another format.

Editing programs often corrupt the EXIF blocks of intact pictures, so `read_tags` and
`read_orientation` never raise an exception.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import NamedTuple

BITS, PHOTOMETRIC, ORIENTATION = 258, 262, 274
"""Numbers of the tags BitsPerSample, PhotometricInterpretation and Orientation (EXIF)."""

# TIFF field type -> struct code, for the types of the tags in use.
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q"}
# Limit for corrupt counts; cameras write about 60 tags.
_MAX_ENTRIES = 4096


class _Layout(NamedTuple):
    """Layout of an image file directory (IFD): classic TIFF, or BigTIFF with longer numbers.

    Attributes:
        order: Byte order as a struct code: `<` or `>`.
        first: Offset of the first directory in bytes, relative to the TIFF structure.
        number: Struct code of the number of entries.
        entry: Struct codes of an entry: tag, type, number of values, and the value or its offset.
        inline: Maximum size in bytes of a value that is stored in its entry.
    """

    order: str
    first: int
    number: str
    entry: str
    inline: int


def read_tags(
    data: bytes, wanted: Collection[int], start: int = 0, end: int | None = None
) -> dict[int, int]:
    """Returns the first value of each wanted tag in the first image file directory (IFD).

    Args:
        data: Bytes that contain a TIFF structure.
        wanted: Tag numbers.
        start: Offset of the TIFF structure in bytes; the offsets in it are relative to this.
        end: Offset in bytes of the end of the structure; None for the end of `data`.

    Returns:
        Tag number -> value, without absent tags; 0 for a value that is corrupt or not an integer.
    """
    stop = len(data) if end is None else min(end, len(data))
    found: dict[int, int] = {}
    try:
        layout = _read_layout(data, start)
        if layout is None:
            return found
        at = start + layout.first
        (count,) = struct.unpack_from(layout.order + layout.number, data, at)
        at += struct.calcsize(layout.order + layout.number)
        entry = struct.Struct(layout.order + layout.entry)
        stop_entries = min(stop, at + entry.size * min(count, _MAX_ENTRIES))
        for here in range(at, stop_entries - entry.size + 1, entry.size):
            tag, kind, length, offset = entry.unpack_from(data, here)
            code = _CODES.get(kind)
            if tag not in wanted or tag in found:
                continue
            # The first of equal tags counts, as in libtiff, so that another cannot hide the size.
            found[tag] = 0
            if code is None or length == 0:
                continue
            size = struct.calcsize(layout.order + code)
            fits = length * size <= layout.inline
            value_at = here + entry.size - layout.inline if fits else start + offset
            if value_at + size <= stop:
                (found[tag],) = struct.unpack_from(layout.order + code, data, value_at)
    except (struct.error, OverflowError):  # an offset beyond the end; OverflowError: beyond 2^63
        pass
    return found


def read_orientation(data: bytes, start: int = 0, end: int | None = None) -> int:
    """Returns the EXIF orientation, 1 to 8; 1 (upright) if it is absent or invalid.

    Arguments are those of `read_tags`.
    """
    value = read_tags(data, (ORIENTATION,), start, end).get(ORIENTATION, 1)
    return value if 1 <= value <= 8 else 1


def _read_layout(data: bytes, start: int) -> _Layout | None:
    """Returns the layout of the TIFF structure at `start`; None if there is none.

    Raises:
        struct.error: The data are truncated.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[start : start + 2])
    if order is None:
        return None
    magic, first = struct.unpack_from(order + "HI", data, start + 2)
    if magic == 42:
        return _Layout(order, first, "H", "HHII", 4)
    if magic == 43:
        (first,) = struct.unpack_from(order + "Q", data, start + 8)
        return _Layout(order, first, "Q", "HHQQ", 8)
    return None
