"""Limits the memory of this process and tests whether more is available."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

_LARGEST_LIBRARY = 2**28  # bytes; OpenCV with the libraries that it needs takes 200 MB


def limit_growth(growth: int) -> None:
    """Lowers RLIMIT_DATA, so that this process can allocate only `growth` more bytes.

    Does nothing if the limit is lower already, or without /proc/self/statm (only Linux has it).

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


def is_short_for_library(error: BaseException | None) -> bool:
    """Returns whether an installed library could not be imported because memory is short.

    The dynamic linker says only that it failed to map a segment.

    Args:
        error: The exception of the import; None if there was none.
    """
    if error is None or isinstance(error, ModuleNotFoundError):
        return False
    return not is_memory_available(_LARGEST_LIBRARY)


def is_memory_available(size: int) -> bool:
    """Returns whether this process can allocate `size` more bytes (at least 1).

    Maps the bytes and releases them without writing to them, so the answer depends on limits such
    as RLIMIT_DATA rather than on free memory.
    """
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, OverflowError):  # OverflowError: more than the address space
        return False
    return True
