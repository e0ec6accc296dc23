"""Counts what a decoder would go through again and again.

A JPEG of 100 kB may have a thousand scans, each of which goes over all pixels, and a GIF any number
of frames. Both are counted by following the markers or blocks, which costs next to nothing.
"""

from __future__ import annotations

import re

MOST_FRAMES = 4096

# Far more than any real picture has; a crafted file stops being followed here.
_MOST_STEPS = 100_000
_SCAN = b"\xff\xda"
# Within a scan, 0xFF is followed by a zero, a restart marker or another 0xFF.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_FEW_SCANS = 16
_FRAME, _EXTENSION = b",!"


def count_scans(data: bytes, at: int) -> int:
    """Counts a JPEG's scans.

    Args:
        data: The whole file.
        at: Offset in bytes behind the first scan's marker.

    Returns:
        At least 1; where the file stops making sense the count ends.
    """
    # Nearly every file is done here; in others a video behind the picture may hold such bytes.
    further = data.count(_SCAN, at)
    if further < _FEW_SCANS:
        return 1 + further
    scans = 1
    at += int.from_bytes(data[at : at + 2], "big")
    for _ in range(_MOST_STEPS):
        found = _MARKER.search(data, at)
        if found is None or found[1] == b"\xd9":
            break
        at = found.end()
        if found[1] == b"\xda":
            scans += 1
        at += int.from_bytes(data[at : at + 2], "big")
    return scans


def count_frames(data: bytes, at: int) -> int:
    """Counts a GIF's frames, to one more than `MOST_FRAMES` and no further.

    Args:
        data: The whole file.
        at: Offset in bytes of the first frame.

    Returns:
        At least 1; where the file stops making sense the count ends.
    """
    frames, end = 0, len(data)
    within = False  # the sub-blocks of a frame or an extension, which an empty one ends
    for _ in range(_MOST_STEPS):
        if at >= end or frames > MOST_FRAMES:
            break
        block = data[at]
        if within:
            within = block != 0
            at += 1 + block
        elif block == _FRAME and at + 9 < end:
            flags = data[at + 9]
            frames += 1
            at += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
            within = True
        elif block == _EXTENSION:
            at += 2
            within = True
        else:
            break
    return max(frames, 1)
