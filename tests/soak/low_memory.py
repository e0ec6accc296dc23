"""Low memory: 2,000 portraits within 256 MB of resident memory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

from benchmarks import pss
from benchmarks.figures import Figure, at_most, skipped
from soak.running import contents, start
from soak.setting import Setting, portraits

_PORTRAITS = 2000
_SIDE = 250  # pixels
_LIMIT = 256.0  # MB
_EVERY = 0.005  # seconds


def measure(setting: Setting) -> Iterator[Figure]:
    """Kills the command if it exceeds the limit.

    Sums the peak resident set sizes of all processes. The kernel records them, so none is missed
    between two samples, and shared pages count once per process: an upper bound.
    """
    if not pss.is_available():
        yield skipped("low memory", "this system has no /proc/self/smaps_rollup")
        return
    count = setting.times(_PORTRAITS)
    work = setting.work / "low_memory"
    pictures = portraits(count, _SIDE, work / "in")
    (work / "out").mkdir()
    process = start(pictures, work / "out", "--workers", 1, errors=subprocess.DEVNULL)
    peaks: dict[int, float] = {}
    while process.poll() is None:
        for member in pss.tree(process.pid):
            peaks[member] = max(peaks.get(member, 0.0), pss.peak_resident(member))
        if sum(peaks.values()) > _LIMIT:
            process.kill()
        time.sleep(_EVERY)
    written = sum(name.endswith(".xml") for name in contents(work / "out"))
    yield Figure("low memory: exit code", abs(process.returncode), "", at_most(0))
    yield Figure("low memory: no XML file", count - written, "", at_most(0), f"of {count:,}")
    note = f"in {len(peaks)} processes, 1 worker"
    yield Figure("low memory: resident", sum(peaks.values()), "MB", at_most(_LIMIT), note)
