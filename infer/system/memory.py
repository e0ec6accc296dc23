"""Limits what a process may allocate."""

from __future__ import annotations

import os
from pathlib import Path


def limit_growth(growth: int) -> None:
    """Makes allocations fail that would grow this process by more than some bytes; Linux only.

    Threads started later count with their stacks.
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
