"""Little memory: the whole job within 256 MB of resident memory, or the command is killed."""

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
    """Watches the command and its worker, and kills them where they hold more.

    Counted are the highest resident sizes of both, as the kernel keeps them: nothing slips past
    between two looks, and pages that both share count twice, so it is more than they hold.
    """
    if not pss.is_available():
        yield skipped("low memory", "this system has no /proc/self/smaps_rollup")
        return
    count = setting.times(_PORTRAITS)
    work = setting.work / "low_memory"
    pictures = portraits(count, _SIDE, work / "in")
    (work / "out").mkdir()
    process = start(pictures, work / "out", "--workers", 1, said=subprocess.DEVNULL)
    highest: dict[int, float] = {}
    while process.poll() is None:
        for member in pss.tree(process.pid):
            highest[member] = max(highest.get(member, 0.0), pss.peak_resident(member))
        if sum(highest.values()) > _LIMIT:
            process.kill()
        time.sleep(_EVERY)
    predictions = sum(name.endswith(".xml") for name in contents(work / "out"))
    yield Figure("low memory: exit code", abs(process.returncode), "", at_most(0))
    yield Figure(
        "low memory: without a verdict", count - predictions, "", at_most(0), f"of {count:,}"
    )
    note = f"in {len(highest)} processes, 1 worker"
    yield Figure("low memory: resident", sum(highest.values()), "MB", at_most(_LIMIT), note)
