"""Memory of a process and its descendants, from Linux's /proc.

The proportional set size (PSS) divides each shared page among the processes that map it, so PSS can
be summed over processes. The benchmark process itself must not map NumPy or OpenCV: half of their
pages would be counted as its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_KB = 1024
_MB = 1e6


def is_available() -> bool:
    """Tells whether this system reports PSS."""
    return (_PROC / "self" / "smaps_rollup").is_file()


def tree(root: int, proc: Path = _PROC) -> Iterator[int]:
    """Yields the process IDs of a process and all its running descendants."""
    yield root
    for children in (proc / str(root) / "task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            for child in children.read_text("ascii").split():
                yield from tree(int(child), proc)


def of_tree(root: int) -> float:
    """Returns the PSS of a process and all its descendants in MB (10^6 bytes)."""
    return sum(_read(process, "smaps_rollup", _PSS) for process in tree(root))


def peak_resident(process: int) -> float:
    """Returns the peak resident set size of one process in MB; 0 if it has ended."""
    return _read(process, "status", _PEAK)


def _read(process: int, file: str, pattern: re.Pattern[str]) -> float:
    with suppress(OSError):
        found = pattern.search((_PROC / str(process) / file).read_text("ascii", "replace"))
        return _KB * int(found[1]) / _MB if found else 0.0
    return 0.0
