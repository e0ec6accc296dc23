"""How much memory a command and everything that it started hold, as Linux counts it.

The proportional set size counts each page shared by several processes once among them, so that
it can be summed; the resident size would count the libraries anew in each process. Whoever
measures must not map the same libraries, or half of them would be counted to him: the harness
imports neither NumPy nor OpenCV.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PSS = re.compile(r"^Pss:\s+(\d+) kB$", re.MULTILINE)
_HIGHEST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_MEGABYTE = 1e6


def can_be_measured() -> bool:
    """Tells whether this system says what is asked here."""
    with suppress(OSError, ValueError):
        parse_pss((_PROC / "self" / "smaps_rollup").read_text("ascii", "replace"))
        return True
    return False


def parse_pss(smaps_rollup: str) -> int:
    """Gives the proportional set size in bytes from the text of `smaps_rollup` (or `smaps`).

    Raises:
        ValueError: It says nothing of it.
    """
    found = _PSS.findall(smaps_rollup)
    if not found:
        raise ValueError("no Pss line")
    return 1024 * sum(map(int, found))


def parse_highest(status: str) -> int:
    """Gives the highest resident size so far in bytes from the text of `status`.

    Raises:
        ValueError: It says nothing of it: the process has ended.
    """
    found = _HIGHEST.search(status)
    if found is None:
        raise ValueError("no VmHWM line")
    return 1024 * int(found[1])


def tree(root: int, proc: Path = _PROC) -> Iterator[int]:
    """Yields a process and everything that it started and that still runs."""
    yield root
    for children in (proc / str(root) / "task").glob("*/children"):
        # A thread may end between listing and reading.
        with suppress(OSError):
            for child in children.read_text("ascii").split():
                yield from tree(int(child), proc)


def of_tree(root: int) -> float:
    """Sums the proportional set sizes of a process and all below it, in MB (10^6 bytes)."""
    total = 0
    for process in tree(root):
        with suppress(OSError, ValueError):
            total += parse_pss((_PROC / str(process) / "smaps_rollup").read_text("ascii"))
    return total / _MEGABYTE


def highest_of(process: int) -> float:
    """The highest resident size of one process so far, in MB; 0 where it has ended."""
    with suppress(OSError, ValueError):
        return parse_highest((_PROC / str(process) / "status").read_text("ascii")) / _MEGABYTE
    return 0.0
