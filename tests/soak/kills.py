"""Runs killed at any moment: what they leave is whole, and `--resume` completes it."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.figures import Figure, at_most
from soak.running import LEFTOVERS, contents, run, start
from soak.setting import Setting, portraits

_KILLS = 200
_PICTURES = 40
_SIDE = 96  # pixels


def measure(setting: Setting) -> Iterator[Figure]:
    """Kills runs, looks at what is there, and lets another run complete it."""
    work = setting.work / "kills"
    pictures = portraits(_PICTURES, _SIDE, work / "in")
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (work / "whole").mkdir()
    began = time.monotonic()
    run(pictures, work / "whole", *_tables(work / "whole"))
    longest = time.monotonic() - began
    wanted = contents(work / "whole")
    chance = random.Random(setting.seed)
    wrong: Counter[str] = Counter()
    moments: Counter[str] = Counter()
    for _round in range(setting.times(_KILLS)):
        out = work / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        process = start(pictures, out, *_tables(out), said=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        left = contents(out)
        moments[_moment(left, wanted)] += 1
        wrong["partial file"] += sum(not _is_whole(name, data) for name, data in left.items())
        ended = run(pictures, out, "--resume", *_tables(out))
        wrong["traceback"] += "Traceback" in ended.said
        completed = contents(out)
        wrong["leftover"] += len(list(out.rglob(LEFTOVERS)))
        wrong["other output"] += completed != wanted
    note = ", ".join(f"{count} {moment}" for moment, count in sorted(moments.items()))
    yield Figure("kills", sum(moments.values()), "", None, f"seed {setting.seed}: {note}")
    for what in ("partial file", "leftover", "other output", "traceback"):
        yield Figure(f"kills: {what}", wrong[what], "", at_most(0))


def _tables(out: Path) -> tuple[object, ...]:
    return "--csv", out / "all.csv", "--jsonl", out / "all.jsonl", "--workers", 2


def _moment(left: dict[str, bytes], wanted: dict[str, bytes]) -> str:
    """Tells how far a run had come."""
    if not left:
        return "before the first verdict"
    return "after the last" if left == wanted else "between"


def _is_whole(name: str, data: bytes) -> bool:
    """Tells whether a file that has taken its name is whole; others have not taken theirs."""
    if name.startswith(LEFTOVERS.removesuffix("*")):
        return True
    try:
        if name.endswith(".xml"):
            ElementTree.fromstring(data)
        elif name.endswith(".jsonl"):
            for line in data.decode().splitlines():
                json.loads(line)
        return data.endswith(b"\n")
    except (ValueError, ElementTree.ParseError):
        return False
