"""Takes the best picture out of a Windows icon file, which holds several sizes."""

from __future__ import annotations

import struct
from typing import NamedTuple

_DIRECTORY = struct.Struct("<HHH")
_ENTRY = struct.Struct("<BBBBHHII")
_DIB_SIZE = struct.Struct("<ii")


class Icon(NamedTuple):
    """One picture of an icon file.

    Attributes:
        data: A PNG file, or an icon file that holds this picture only.
        is_png: Whether it is a PNG file.
        width: Width in pixels; 0 for a PNG file, which states its own size.
        height: Height in pixels, as the width.
    """

    data: bytes
    is_png: bool
    width: int = 0
    height: int = 0


def largest(data: bytes) -> Icon | None:
    """Returns the largest picture, of several the one with most colours; None if there is none."""
    try:
        _, _, count = _DIRECTORY.unpack_from(data)
        start, size = _DIRECTORY.size, _ENTRY.size
        entries = [_ENTRY.unpack_from(data, start + number * size) for number in range(count)]
        # 0 means 256.
        best = max(entries, key=lambda entry: ((entry[0] or 256) * (entry[1] or 256), entry[5]))
        content = data[best[7] :]  # some files state a size that is too small
        if content.startswith(b"\x89PNG"):
            return Icon(content, is_png=True)
        width, height = _DIB_SIZE.unpack_from(content, 4)
    except (struct.error, ValueError):  # ValueError: no entry
        return None
    alone = _DIRECTORY.pack(0, 1, 1) + _ENTRY.pack(*best[:7], start + size) + content
    # The height counts the transparency mask below the colours too.
    return Icon(alone, False, abs(width), abs(height) // 2)
