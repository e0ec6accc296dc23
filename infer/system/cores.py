"""Counts the CPU cores that are available to the process, and the workers for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import ceil

_CGROUPS = "/sys/fs/cgroup"
_OWN_CGROUPS = "/proc/self/cgroup"


MAX_DEFAULT_WORKERS = 64
"""Maximum of `default_workers`: each worker needs 4 open files; the usual limit is 1,024."""


def default_workers() -> int:
    """Returns the number of worker processes if the user gives none."""
    return min(count_cores(), MAX_DEFAULT_WORKERS)


def count_cores(cgroups: str = _CGROUPS, own: str = _OWN_CGROUPS) -> int:
    """Returns the number of CPU cores that this process may use, at least 1.

    Takes the CPU affinity (not on macOS) and the CPU quotas of Linux control groups (cgroups,
    `docker run --cpus`) into account. Quotas are rounded up to whole cores.

    Args:
        cgroups: Mount point of the control groups.
        own: The file that lists the control groups of this process.
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return min([allowed, *(max(ceil(quota), 1) for quota in _read_quotas(cgroups, own))])


def _read_quotas(cgroups: str, own: str) -> Iterator[float]:
    """Yields the CPU quotas of the process's control groups and their ancestors, in cores.

    Arguments as for `count_cores`. Unlimited groups are omitted.
    """
    for line in _read_text(own).splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers == "":  # cgroup v2
            for folder in _list_groups(cgroups, path):
                yield from _parse_quota(*_read_text(f"{folder}/cpu.max").split()[:2])
        elif "cpu" in controllers.split(","):
            for mount in {controllers, "cpu"}:
                for folder in _list_groups(f"{cgroups}/{mount}", path):
                    quota = _read_text(f"{folder}/cpu.cfs_quota_us")
                    yield from _parse_quota(quota, _read_text(f"{folder}/cpu.cfs_period_us"))


def _parse_quota(microseconds: str = "", period: str = "") -> Iterator[float]:
    """Yields a CPU quota in cores; nothing if it is unlimited (v2: `max`, v1: -1) or missing.

    Args:
        microseconds: CPU time that the control group may use in each period.
        period: Length of the period, in microseconds.
    """
    try:
        quota = int(microseconds) / int(period)
    except (ValueError, ZeroDivisionError):
        return
    if quota > 0:
        yield quota


def _list_groups(root: str, path: str) -> Iterator[str]:
    """Yields the folder of a control group, then those of its ancestors up to the mount point.

    Args:
        root: Mount point of the cgroup hierarchy.
        path: Path of the control group below it. In a container, it may be that of the host; then
            only the mount point exists.
    """
    path = path.strip("/")
    while path:
        yield f"{root}/{path}"
        path = path.rpartition("/")[0]
    yield root


def _read_text(file: str) -> str:
    """Returns the first 4 KiB of a file, decoded as UTF-8; "" if the file cannot be read."""
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123  faster than a path
            return opened.read(4096).decode("utf-8", "replace")
    except OSError:
        return ""
