"""Parses the scan headers of a JPEG without decoding the scans.

A progressive JPEG stores a picture in several scans, each of which refines all pixels. A hostile
file of 100 kB may have 1,000 of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Maximum number of markers; far more than any real picture has.
_MAX_STEPS = 100_000
_SCAN = b"\xff\xda"  # SOS (start of scan) marker
# In scan data, 0xFF precedes a zero, a restart marker or another 0xFF.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_FEW_SCANS = 16
_COEFFICIENTS = 64  # of the DCT of a block


def count_scans(data: bytes, at: int) -> int:
    """Returns the number of scans of a JPEG, at least 1.

    A result up to 16 may be too high, because data after the picture may contain the bytes of an
    SOS marker. A higher result counts only the scans in front of the EOI (end of image) marker.

    Args:
        data: The whole file.
        at: Offset in bytes just after the first SOS (start of scan) marker.
    """
    # Fast path for nearly every file. Others may have such bytes in a video after the picture.
    further = data.count(_SCAN, at)
    if further < _FEW_SCANS:
        return 1 + further
    return sum(1 for _ in _find_scans(data, at))


def has_all_coefficients(data: bytes, at: int, components: int) -> bool:
    """Returns whether the scans of a JPEG contain every DCT coefficient with all its bits.

    Only the scan headers are read; the last scan may be truncated.

    Args:
        data: The whole file.
        at: Offset in bytes just after the first SOS (start of scan) marker.
        components: Number of colour components.
    """
    missing_bits: dict[int, list[int]] = {}  # component ID -> of each coefficient
    for start in _find_scans(data, at):
        count = data[start + 2] if start + 2 < len(data) else 0
        spectral = data[start + 3 + 2 * count : start + 6 + 2 * count]
        if len(spectral) < 3:
            break
        first, last, bits = spectral[0], min(spectral[1], _COEFFICIENTS - 1), spectral[2] & 15
        for component in data[start + 3 : start + 3 + 2 * count : 2]:
            known = missing_bits.setdefault(component, [1] * _COEFFICIENTS)
            known[first : last + 1] = [bits] * (last + 1 - first)
    return len(missing_bits) >= components and not any(map(any, missing_bits.values()))


def _find_scans(data: bytes, at: int) -> Iterator[int]:
    """Yields the offset in bytes just after each SOS (start of scan) marker; the first is `at`.

    Stops at the EOI (end of image) marker, at the end of the data or after 100,000 markers.
    """
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
