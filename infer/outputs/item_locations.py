"""Finds the data of the items of a HEIC or AVIF file (box `iloc`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.outputs.item_boxes import Box, Cursor

Extents = list[memoryview]

_UNKNOWN = "unknown or corrupt location of an item"
_SIZES = (0, 4, 8)  # of offsets and lengths, in bytes


class _Layout(NamedTuple):
    """Sizes in bytes of the numbers of an extent, and of the offset that its item adds."""

    number: int
    offset: int
    length: int
    base: int


def read_locations(
    data: bytes, box: Box, item_data: Box | None, wanted: Collection[int]
) -> dict[int, Extents]:
    """Returns the data of items by their ids.

    Args:
        data: The whole file.
        box: The box `iloc`.
        item_data: The box `idat`, if there is one.
        wanted: Ids of the items whose data is returned; others have no extents.

    Raises:
        UnreadablePicture: The box is corrupt; the data of a wanted item are not in the file, or
            they are described in an unknown way; or items share so much data that they would be
            larger than the file.
    """
    cursor = Cursor.of_full_box(data, box, versions=(0, 1, 2))
    sizes, base_sizes = cursor.take(1), cursor.take(1)
    index = base_sizes & 15 if cursor.version else 0
    layout = _Layout(index, sizes >> 4, sizes & 15, base_sizes >> 4)
    if not all(size in _SIZES for size in layout):
        raise UnreadablePicture(_UNKNOWN)
    places = (Box(b"", 0, len(data)), item_data)  # by construction method
    number_size = 4 if cursor.version == 2 else 2
    found: dict[int, Extents] = {}
    left = len(data)
    for _ in range(cursor.take(number_size)):
        number = cursor.take(number_size)
        method = cursor.take(2) & 15 if cursor.version else 0
        elsewhere, base = cursor.take(2), cursor.take(layout.base)
        count = cursor.take(2)
        if number in found:
            raise UnreadablePicture(_UNKNOWN)
        found[number] = []
        if number not in wanted:
            cursor.skip(count * (layout.number + layout.offset + layout.length))
            continue
        place = places[method] if method < len(places) else None
        if elsewhere or place is None:
            raise UnreadablePicture(_UNKNOWN)
        found[number] = _read_extents(
            data, cursor, count, layout, place._replace(start=place.start + base)
        )
        left -= sum(map(len, found[number]))
        if left < 0:
            raise UnreadablePicture(_UNKNOWN)
    return found


def _read_extents(data: bytes, cursor: Cursor, count: int, layout: _Layout, place: Box) -> Extents:
    """Returns the extents of an item, whose offsets count from the start of `place`."""
    extents = []
    for _ in range(count):
        cursor.skip(layout.number)
        start = place.start + cursor.take(layout.offset)
        length = cursor.take(layout.length)
        if length == 0 or start + length > place.end:
            raise UnreadablePicture(_UNKNOWN)
        extents.append(memoryview(data)[start : start + length])
    return extents
