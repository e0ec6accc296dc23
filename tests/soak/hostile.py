"""Damaged and hostile files: none may crash a worker, hang it or go without an XML file."""

from __future__ import annotations

import re
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
_BATCH = 1000
_TIMEOUT = 1800  # seconds for a batch
_LONGEST = 5.0  # seconds for a picture
_MOST_MEMORY = 1000.0  # MB; an AVIF of 2^26 pixels with alpha, within the limits, takes 800
# By fault, what the message of an unreadable picture or standard error then says.
_FAULTS = {
    "crash": re.compile(r"\b(process|worker)\b"),
    "hang": re.compile(r"no result within"),
    "internal error": re.compile(r"internal error|Traceback"),
}


def measure(setting: Setting) -> Iterator[Figure]:
    """Classifies the files in batches, with one worker so that the time of each file shows."""
    wrong: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    slowest = resident = 0.0
    tried = 0
    every = _cases(setting)
    while batch := list(islice(every, _BATCH)):
        tried += len(batch)
        found, longest, held = _classify(batch, setting.work / "hostile", statuses)
        slowest, resident = max(slowest, longest), max(resident, held)
        for case, fault in found:
            wrong[fault] += 1
            setting.keep(case.name, case.data, f"{fault}: {case.how}")
    note = ", ".join(f"{statuses[status]:,} {status}" for status in sorted(statuses))
    yield Figure("hostile files", tried, "", None, f"seed {setting.seed}: {note}")
    for fault in (*_FAULTS, "no XML file"):
        yield Figure(f"hostile files: {fault}", wrong[fault], "", at_most(0))
    yield Figure("hostile files: slowest", slowest, "s", at_most(_LONGEST), "between XML files")
    yield Figure("hostile files: resident", resident, "MB", at_most(_MOST_MEMORY), "one process")


def fault_of(message: str) -> str | None:
    """Returns the fault that a message reports, or None for an ordinary unreadable picture."""
    return next((name for name, sign in _FAULTS.items() if sign.search(message)), None)


def _cases(setting: Setting) -> Iterator[Case]:
    """Yields the files of one seed, or of one seed after another until the time is up."""
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
    """Classifies a batch; returns faults, the longest time between XML files, and peak memory."""
    pictures, out = work / "in", work / "out"
    for folder in (pictures, out):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for case in batch:
        (pictures / case.name).write_bytes(case.data)
    try:
        ended = run(pictures, out, "--workers", 1, timeout=_TIMEOUT)
    except subprocess.TimeoutExpired:
        return [(batch[0], "hang")], _LONGEST + 1, 0.0
    wrong: list[tuple[Case, str]] = []
    if ended.code not in (0, 1):
        wrong.append((batch[0], fault_of(ended.errors) or "crash"))
    times = []
    for case in batch:
        path = out / f"{Path(case.name).stem}.xml"
        try:
            image = ElementTree.parse(path).getroot()
            times.append(path.stat().st_mtime)
        except (OSError, ElementTree.ParseError):
            wrong.append((case, "no XML file"))
            continue
        statuses[image.get("status", "")] += 1
        if fault := fault_of(image.get("message", "")):
            wrong.append((case, fault))
    longest = max((later - earlier for earlier, later in pairwise(times)), default=0.0)
    if longest > _LONGEST:
        late = next(i for i, (a, b) in enumerate(pairwise(times), 1) if b - a == longest)
        wrong.append((batch[min(late, len(batch) - 1)], "hang"))
    return wrong, longest, ended.resident
