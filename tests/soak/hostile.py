"""Damaged and hostile files: none may crash the command, hang it or go without a verdict."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice, pairwise
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.figures import Figure, at_most
from soak.mutations import Case, cases
from soak.running import run
from soak.setting import Setting

_FILES = 20_000
_AT_A_TIME = 1000
_LONGEST = 5.0  # seconds a picture
_MOST_MEMORY = 1000.0  # MB; within the limits a picture of 2^26 pixels and alpha takes 600
# What a verdict says of a worker that died, of one that was at it for too long, and of an error
# that nobody foresaw.
_CRASH, _HANG, _ERROR = "The worker process", "It takes longer than", "internal error ("


def measure(setting: Setting) -> Iterator[Figure]:
    """Judges the files in folders of a thousand, one at a time so that each one's time shows."""
    every = _cases(setting)
    wrong: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    slowest = resident = 0.0
    tried = 0
    while batch := list(islice(every, _AT_A_TIME)):
        tried += len(batch)
        found, longest, held = _classify(batch, setting.work / "hostile", statuses)
        slowest, resident = max(slowest, longest), max(resident, held)
        for case, what in found:
            wrong[what] += 1
            setting.keep(case.name, case.data, f"{what}: {case.how}")
    note = ", ".join(f"{statuses[status]:,} {status}" for status in sorted(statuses))
    yield Figure("hostile files", tried, "", None, f"seed {setting.seed}: {note}")
    for what in ("crash", "hang", "traceback", "no verdict"):
        yield Figure(f"hostile files: {what}", wrong[what], "", at_most(0))
    yield Figure("hostile files: slowest", slowest, "s", at_most(_LONGEST), "between two verdicts")
    yield Figure("hostile files: resident", resident, "MB", at_most(_MOST_MEMORY), "worker")


def _cases(setting: Setting) -> Iterator[Case]:
    """Gives the files of one seed, or those of one seed after another until the time is up."""
    number = setting.times(_FILES)
    if setting.seconds is None:
        yield from cases(setting.seed, number)
        return
    end = time.monotonic() + setting.seconds
    for seed in count(setting.seed):
        for case in cases(seed, number):
            if time.monotonic() > end:
                return
            yield replace(case, name=f"{seed:09}-{case.name}")


def _classify(
    batch: Sequence[Case], work: Path, statuses: Counter[str]
) -> tuple[list[tuple[Case, str]], float, float]:
    """Judges a batch; gives what went wrong, the longest time between two verdicts, the memory."""
    pictures, out = work / "in", work / "out"
    for folder in (pictures, out):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for case in batch:
        (pictures / case.name).write_bytes(case.data)
    wrong: list[tuple[Case, str]] = []
    try:
        ended = run(pictures, out, "--workers", 1, patience=1800)
    except subprocess.TimeoutExpired:
        return [(batch[0], "hang")], _LONGEST + 1, 0.0
    if ended.code not in (0, 1):
        wrong.append((batch[0], "crash"))
    if "Traceback" in ended.said:
        wrong.append((batch[0], "traceback"))
    times = []
    for case in batch:
        path = out / f"{Path(case.name).stem}.xml"
        try:
            image = ElementTree.parse(path).getroot()
            times.append(path.stat().st_mtime)
        except (OSError, ElementTree.ParseError):
            wrong.append((case, "no verdict"))
            continue
        statuses[image.get("status", "")] += 1
        message = image.get("message", "")
        for sign, what in ((_CRASH, "crash"), (_HANG, "hang"), (_ERROR, "traceback")):
            if sign in message:
                wrong.append((case, what))
    longest = max((later - earlier for earlier, later in pairwise(times)), default=0.0)
    if longest > _LONGEST:
        late = next(i for i, (a, b) in enumerate(pairwise(times), 1) if b - a == longest)
        wrong.append((batch[min(late, len(batch) - 1)], "hang"))
    return wrong, longest, ended.resident
