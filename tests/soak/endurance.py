"""Memory after 200,000 pictures against memory after the first 2,000."""

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
from benchmarks.pictures import linked
from soak.bases import bases
from soak.running import start
from soak.setting import Setting, portrait

_PICTURES = 200_000
_FIRST = 2000
_SHARE = 0.02  # of the pictures, for each of the two medians
_SIDES = (64, 96, 160)
_MOST_GROWTH = 5.0  # per cent
_STEP = 100  # pictures
_EVERY = 0.1  # seconds
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


def measure(setting: Setting) -> Iterator[Figure]:
    """Samples the memory of the command and its workers during a long run."""
    if not pss.is_available():
        yield skipped("endurance", "this system has no /proc/self/smaps_rollup")
        return
    count = setting.times(_PICTURES, fewest=3 * _FIRST)
    work = setting.work / "endurance"
    different = _different(work / "different")
    pictures = linked(different, count, work / "in")
    out = work / "out"
    out.mkdir()
    window = max(round(count * _SHARE), _FIRST // 2)
    early: list[float] = []
    late: list[float] = []
    done = 0
    process = start(pictures, out, "--workers", 2, errors=subprocess.DEVNULL)
    while process.poll() is None:
        while (out / f"{done + _STEP:06}.xml").exists():
            done += _STEP
        if _FIRST <= done < _FIRST + window:
            early.append(_resident(process.pid))
        elif done >= count - window:
            late.append(_resident(process.pid))
        time.sleep(_EVERY)
    yield Figure("endurance: exit code", process.returncode, "", at_most(1), "1: some unreadable")
    yield Figure("endurance: pictures", count, "", None, f"{len(different)} different, linked")
    if not early or not late:
        yield skipped("endurance: memory", "too few pictures for a sample")
        return
    # Medians, because the last sample may meet a process that is ending.
    first, last = median(early), median(late)
    yield Figure(f"endurance: memory after {_FIRST:,}", first, "MB", None, f"{len(early)} samples")
    yield Figure("endurance: memory at the end", last, "MB", None, f"{len(late)} samples")
    yield Figure("endurance: growth", 100 * (last / first - 1), "%", at_most(_MOST_GROWTH))


def _different(folder: Path) -> list[Path]:
    """Writes portraits, pictures of all formats and a truncated one."""
    folder.mkdir(parents=True)
    faces = [portrait(side) for side in _SIDES]
    files = [(".jpg", data) for data in (*faces, faces[0][:500])]
    files += [(base.extension, base.data) for base in bases()]
    paths = [folder / f"{number}{extension}" for number, (extension, _) in enumerate(files)]
    for path, (_, data) in zip(paths, files, strict=True):
        path.write_bytes(data)
    return paths


def _resident(root: int) -> float:
    """Returns the sum of the resident set sizes of a process and its descendants in MB.

    PSS would change with every other process that maps the same libraries.
    """
    total = 0
    for process in pss.tree(root):
        with suppress(OSError):
            found = _RESIDENT.search(Path(f"/proc/{process}/status").read_text("ascii", "replace"))
            total += 1024 * int(found[1]) if found else 0
    return total / 1e6
