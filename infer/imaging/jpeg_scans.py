"""Follows the scans of a JPEG without decoding them.

A progressive JPEG sends a picture in several scans. A file of 100 kB may have 1,000 of them, each
of which updates all pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Of markers; far more than any real picture has.
_MAX_STEPS = 100_000
_SCAN = b"\xff\xda"
# In scan data, 0xFF precedes a zero, a restart marker or another 0xFF.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_FEW_SCANS = 16
_COEFFICIENTS = 64


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
    return sum(1 for _ in _scans(data, at))


def sends_everything(data: bytes, at: int, components: int) -> bool:
    """Returns whether a progressive JPEG's scans send every coefficient with all its bits.

    Args:
        data: The whole file.
        at: Offset in bytes after the marker of the first scan.
        components: Number of colour components.
    """
    missing_bits: dict[int, list[int]] = {}  # for each component and coefficient
    for start in _scans(data, at):
        count = data[start + 2] if start + 2 < len(data) else 0
        spectral = data[start + 3 + 2 * count : start + 6 + 2 * count]
        if len(spectral) < 3:
            break
        first, last, bits = spectral[0], min(spectral[1], _COEFFICIENTS - 1), spectral[2] & 15
        for component in data[start + 3 : start + 3 + 2 * count : 2]:
            known = missing_bits.setdefault(component, [1] * _COEFFICIENTS)
            known[first : last + 1] = [bits] * (last + 1 - first)
    return len(missing_bits) >= components and not any(map(any, missing_bits.values()))


def _scans(data: bytes, at: int) -> Iterator[int]:
    """Yields the offset in bytes after the marker of each scan; the first is `at`."""
    yield at
    at += int.from_bytes(data[at : at + 2], "big")
    for _ in range(_MAX_STEPS):
        found = _MARKER.search(data, at)
        if found is None or found[1] == b"\xd9":
            break
        at = found.end()
        if found[1] == b"\xda":
            yield at
        at += int.from_bytes(data[at : at + 2], "big")
