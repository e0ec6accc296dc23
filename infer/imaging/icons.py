"""Extracts the largest picture from a Windows icon file (ICO), which holds several sizes."""

from __future__ import annotations

import struct
from typing import NamedTuple

_DIRECTORY = struct.Struct("<HHH")
_ENTRY = struct.Struct("<BBBBHHII")
_DIB_SIZE = struct.Struct("<ii")


class Icon(NamedTuple):
    """One picture of an icon file.

    Attributes:
        data: A PNG file, or an icon file that holds only this picture.
        is_png: Whether `data` is a PNG file.
        width: Width in pixels; 0 for a PNG file, whose own header states it.
        height: Height in pixels; 0 for a PNG file.
    """

    data: bytes
    is_png: bool
    width: int = 0
    height: int = 0


def extract_largest(data: bytes) -> Icon | None:
    """Extracts the largest picture, without decoding it.

    Args:
        data: The whole icon file.

    Returns:
        The picture with the most pixels, and of those the one with the most bits per pixel; None if
        the file is truncated or its directory is empty.
    """
    try:
        _, _, count = _DIRECTORY.unpack_from(data)
        start, size = _DIRECTORY.size, _ENTRY.size
        entries = [_ENTRY.unpack_from(data, start + number * size) for number in range(count)]
        # A width or height of 0 means 256.
        best = max(entries, key=lambda entry: ((entry[0] or 256) * (entry[1] or 256), entry[5]))
        content = data[best[7] :]  # some files state a size that is too small
        if content.startswith(b"\x89PNG"):
            return Icon(content, is_png=True)
        width, height = _DIB_SIZE.unpack_from(content, 4)
    except (struct.error, ValueError):  # ValueError: no entry
        return None
    alone = _DIRECTORY.pack(0, 1, 1) + _ENTRY.pack(*best[:7], start + size) + content
    # The stored height includes the transparency mask.
    return Icon(alone, False, abs(width), abs(height) // 2)
