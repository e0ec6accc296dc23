"""Reads the boxes of an ISO base media file (HEIC, AVIF) and the numbers in them.

The readers accept arbitrary bytes: the only exception is `UnreadablePicture`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from image_gender_classifier.errors import UnreadablePicture

_CORRUPT = "corrupt or unknown box"
_MAX_BOXES = 2**15  # in a box; an item can name this many properties


class Box(NamedTuple):
    """A box.

    Attributes:
        kind: Type of four letters.
        start: Offset in bytes of its content in the file, after length and type.
        end: Offset after its last byte.
    """

    kind: bytes
    start: int
    end: int


def list_boxes(data: bytes, outer: Box) -> Iterator[Box]:
    """Yields the boxes in a box.

    Args:
        data: The whole file.
        outer: The outer box, whose content is nothing but boxes.

    Raises:
        UnreadablePicture: A box does not fit in the outer one, or there are too many.
    """
    at = outer.start
    for _ in range(_MAX_BOXES):
        if at == outer.end:
            return
        cursor = Cursor(data, at, outer.end)
        length, kind = cursor.take(4), cursor.take_bytes(4)
        if length == 1:
            length = cursor.take(8)
        elif length == 0 and outer.end == len(data):  # up to the end of the file
            length = outer.end - at
        end = at + length
        if not cursor.at <= end <= outer.end:
            break
        yield Box(kind, cursor.at, end)
        at = end
    raise UnreadablePicture(_CORRUPT)


def read_once(
    data: bytes, outer: Box, known: Collection[bytes], ignored: Collection[bytes]
) -> dict[bytes, Box]:
    """Returns the boxes in a box by their types.

    Args:
        data: The whole file.
        outer: The outer box, whose content is nothing but boxes.
        known: Types that are returned, each of which may occur once.
        ignored: Types that are not returned.

    Raises:
        UnreadablePicture: The boxes are corrupt, or one has another type or occurs twice.
    """
    boxes: dict[bytes, Box] = {}
    for box in list_boxes(data, outer):
        if box.kind in ignored:
            continue
        if box.kind not in known or box.kind in boxes:
            raise UnreadablePicture(_CORRUPT)
        boxes[box.kind] = box
    return boxes


class Cursor:
    """Takes numbers and bytes from a box, one after the other.

    Attributes:
        at: Offset in bytes of the next one in the file.
        version: Version of the box, 0 if it has none.
        flags: Flags of the box, 0 if it has none.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        """Starts at an offset in a file, and ends before another."""
        self._data, self._end = data, end
        self.at = start
        self.version = self.flags = 0

    @classmethod
    def of_full_box(cls, data: bytes, box: Box, versions: Collection[int]) -> Cursor:
        """Returns a cursor after version and flags of a box.

        Raises:
            UnreadablePicture: The box has none of the versions.
        """
        cursor = cls(data, box.start, box.end)
        cursor.version, cursor.flags = cursor.take(1), cursor.take(3)
        if cursor.version not in versions:
            raise UnreadablePicture(_CORRUPT)
        return cursor

    def take(self, size: int) -> int:
        """Returns a number of `size` bytes, 0 for none; raises `UnreadablePicture` at the end."""
        return int.from_bytes(self.take_bytes(size), "big")

    def take_bytes(self, size: int) -> bytes:
        """Returns the next bytes; raises `UnreadablePicture` at the end."""
        start = self.at
        self.skip(size)
        return self._data[start : self.at]

    def skip(self, size: int) -> None:
        """Leaves bytes out; raises `UnreadablePicture` at the end."""
        if size > self._end - self.at:
            raise UnreadablePicture(_CORRUPT)
        self.at += size
