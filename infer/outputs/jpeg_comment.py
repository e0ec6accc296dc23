"""Adds a comment to a JPEG file, and reads it back from a complete file."""

from __future__ import annotations

import os
from pathlib import Path

from image_gender_classifier.outputs.atomic import open_regular_file

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"  # first and last bytes of a JPEG file
_COM = b"\xff\xfe"  # begins a comment segment
_LENGTH = 2  # bytes


def add_comment(jpeg: bytes, text: str) -> bytes:
    """Returns a JPEG file with an ASCII comment of at most 65,533 characters at its beginning."""
    comment = text.encode("ascii")
    length = (_LENGTH + len(comment)).to_bytes(_LENGTH, "big")
    return _SOI + _COM + length + comment + jpeg.removeprefix(_SOI)


def read_comment(path: Path) -> str | None:
    """Returns the comment that `add_comment` has added to a JPEG file.

    Returns:
        The comment; None if the file cannot be read, has none or is incomplete: a power cut may
        have truncated it.
    """
    start = _SOI + _COM
    try:
        with open_regular_file(path) as file:
            head = file.read(len(start) + _LENGTH)
            length = int.from_bytes(head[len(start) :], "big") - _LENGTH
            if not head.startswith(start) or length < 0:
                return None
            comment = file.read(length)
            file.seek(-len(_EOI), os.SEEK_END)
            complete = file.read() == _EOI
    except OSError:
        return None
    return comment.decode("ascii", "replace") if complete else None
