"""Limits the memory of a process."""

from __future__ import annotations

import mmap
import os
from pathlib import Path


def limit_growth(growth: int) -> None:
    """Limits how much more memory this process may allocate; does nothing except on Linux.

    Args:
        growth: Maximum increase in bytes, including the stacks of threads that start later.
    """
    import resource

    try:
        data = int(Path("/proc/self/statm").read_text("ascii").split()[5])  # pages
    except (OSError, ValueError, IndexError):
        return
    limit = data * os.sysconf("SC_PAGE_SIZE") + growth
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or limit < soft:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def is_available(size: int) -> bool:
    """Returns whether this process may allocate some bytes; it does not write to them."""
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        return False
    return True
