"""A night in miniature: memory after very many pictures is what it was after the first."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

from benchmarks import pss
from benchmarks.figures import Figure, at_most, skipped
from soak.bases import bases
from soak.running import start
from soak.setting import Setting, linked, portrait

_PICTURES = 200_000
_FIRST = 2000
_SHARE = 0.02  # of the pictures: over so many at the beginning and at the end is measured
_SIDES = (64, 96, 160)
_MOST_GROWTH = 5.0
_STEP = 100  # pictures
_EVERY = 0.1  # seconds
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


def measure(setting: Setting) -> Iterator[Figure]:
    """Samples the memory of the command and its worker while they judge."""
    if not pss.is_available():
        yield skipped("endurance", "this system has no /proc/self/smaps_rollup")
        return
    count = setting.times(_PICTURES, fewest=3 * _FIRST)
    different = [(".jpg", portrait(side)) for side in _SIDES]
    different += [(base.extension, base.data) for base in bases()]
    different.append((".jpg", different[0][1][:500]))
    work = setting.work / "endurance"
    pictures = linked(different, count, work / "in")
    out = work / "out"
    out.mkdir()
    window = max(round(count * _SHARE), _FIRST // 2)
    early: list[float] = []
    late: list[float] = []
    done = 0
    began = time.monotonic()
    process = start(pictures, out, "--workers", 2, said=subprocess.DEVNULL)
    while process.poll() is None:
        while (out / f"{done + _STEP:06}.xml").exists():
            done += _STEP
        if _FIRST <= done < _FIRST + window:
            early.append(_resident(process.pid))
        elif done >= count - window:
            late.append(_resident(process.pid))
        time.sleep(_EVERY)
    seconds = time.monotonic() - began
    yield Figure("endurance: exit code", process.returncode, "", at_most(1), "1: some unreadable")
    yield Figure("endurance: pictures", count, "", None, f"{len(different)} different, linked")
    if not early or not late:
        yield skipped("endurance: memory", "too fast to be looked at; more pictures are needed")
        return
    # The last look may meet a process that is on its way out.
    first, last = median(early), median(late)
    yield Figure(f"endurance: memory after {_FIRST:,}", first, "MB", None, f"{len(early)} looks")
    yield Figure("endurance: memory at the end", last, "MB", None, f"{seconds:.0f} s in all")
    yield Figure("endurance: growth", 100 * (last / first - 1), "%", at_most(_MOST_GROWTH))


def _resident(root: int) -> float:
    """Sums the resident sizes of a process and all below it, in MB.

    Not the proportional ones: these change whenever another process starts or ends that has the
    same libraries.
    """
    total = 0
    for process in pss.tree(root):
        with suppress(OSError):
            found = _RESIDENT.search(Path(f"/proc/{process}/status").read_text("ascii", "replace"))
            total += 1024 * int(found[1]) if found else 0
    return total / 1e6
