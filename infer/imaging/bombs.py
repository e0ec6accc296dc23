"""Decompression-bomb limits: counts the scans of a JPEG and the frames of a GIF.

A JPEG of 100 kB may have 1,000 scans, each of which updates all pixels, and a GIF any number of
frames. Counting follows markers and blocks without decoding.
"""

from __future__ import annotations

import re

MAX_FRAMES = 4096

# Of markers or blocks; far more than any real picture has.
_MAX_STEPS = 100_000
_SCAN = b"\xff\xda"
# In scan data, 0xFF precedes a zero, a restart marker or another 0xFF.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_FEW_SCANS = 16
_FRAME, _EXTENSION = b",!"


def count_scans(data: bytes, at: int) -> int:
    """Counts a JPEG's scans.

    Args:
        data: The whole file.
        at: Offset in bytes after the marker of the first scan.

    Returns:
        At least 1. Counting stops at invalid data.
    """
    # Nearly every file ends here. Others may have such bytes in a video after the picture.
    further = data.count(_SCAN, at)
    if further < _FEW_SCANS:
        return 1 + further
    scans = 1
    at += int.from_bytes(data[at : at + 2], "big")
    for _ in range(_MAX_STEPS):
        found = _MARKER.search(data, at)
        if found is None or found[1] == b"\xd9":
            break
        at = found.end()
        if found[1] == b"\xda":
            scans += 1
        at += int.from_bytes(data[at : at + 2], "big")
    return scans


def count_frames(data: bytes, at: int) -> int:
    """Counts a GIF's frames, up to one more than `MAX_FRAMES`.

    Args:
        data: The whole file.
        at: Offset in bytes of the first frame.

    Returns:
        At least 1. Counting stops at invalid data.
    """
    frames, end = 0, len(data)
    in_sub_blocks = False  # of a frame or an extension; an empty block ends them
    for _ in range(_MAX_STEPS):
        if at >= end or frames > MAX_FRAMES:
            break
        block = data[at]
        if in_sub_blocks:
            in_sub_blocks = block != 0
            at += 1 + block
        elif block == _FRAME and at + 9 < end:
            flags = data[at + 9]
            frames += 1
            at += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
            in_sub_blocks = True
        elif block == _EXTENSION:
            at += 2
            in_sub_blocks = True
        else:
            break
    return max(frames, 1)
