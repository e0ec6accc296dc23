"""Counts the CPU cores that this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import ceil

_CGROUPS = "/sys/fs/cgroup"
_OWN_CGROUPS = "/proc/self/cgroup"


def count_cores(cgroups: str = _CGROUPS, own: str = _OWN_CGROUPS) -> int:
    """Returns the number of cores that this process may use, at least 1.

    A CPU quota of a container (`docker run --cpus 1.5`) is rounded up to whole cores.

    Args:
        cgroups: Mount point of the kernel's control groups.
        own: File that names the control groups of this process.
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return min([allowed, *(max(ceil(quota), 1) for quota in _quotas(cgroups, own))])


def _quotas(cgroups: str, own: str) -> Iterator[float]:
    """Yields the quotas, in cores, of the control groups of this process and their ancestors."""
    for line in _text(own).splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers == "":  # version 2
            for folder in _groups(cgroups, path):
                yield from _quota(*_text(f"{folder}/cpu.max").split()[:2])
        elif "cpu" in controllers.split(","):
            for mount in {controllers, "cpu"}:
                for folder in _groups(f"{cgroups}/{mount}", path):
                    quota = _text(f"{folder}/cpu.cfs_quota_us")
                    yield from _quota(quota, _text(f"{folder}/cpu.cfs_period_us"))


def _quota(microseconds: str = "", period: str = "") -> Iterator[float]:
    """Yields a quota in cores; nothing for no limit (`max` in version 2, -1 in version 1)."""
    try:
        quota = int(microseconds) / int(period)
    except (ValueError, ZeroDivisionError):
        return
    if quota > 0:
        yield quota


def _groups(root: str, path: str) -> Iterator[str]:
    """Yields the folders of a control group and its ancestors.

    In a container, `path` may be that of the host; then only `root` exists.
    """
    path = path.strip("/")
    while path:
        yield f"{root}/{path}"
        path = path.rpartition("/")[0]
    yield root


def _text(file: str) -> str:
    """Returns the text of a file; empty if it cannot be read."""
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123  faster than a path
            return opened.read(4096).decode("utf-8", "replace")
    except OSError:
        return ""
