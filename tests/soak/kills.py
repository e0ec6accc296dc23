"""Runs killed at random moments: they leave only whole files, and `--resume` completes them."""

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
    """Kills runs, checks their files, and completes them with another run."""
    work = setting.work / "kills"
    pictures = portraits(_PICTURES, _SIDE, work / "in")
    (pictures / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (work / "whole").mkdir()
    began = time.monotonic()
    run(pictures, work / "whole", *_options(work / "whole"))
    longest = time.monotonic() - began
    wanted = contents(work / "whole")
    chance = random.Random(setting.seed)
    wrong: Counter[str] = Counter()
    moments: Counter[str] = Counter()
    for _ in range(setting.times(_KILLS)):
        out = work / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        process = start(pictures, out, *_options(out), errors=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        left = contents(out)
        moments[_moment(left, wanted)] += 1
        wrong["partial file"] += sum(not _is_whole(name, data) for name, data in left.items())
        ended = run(pictures, out, "--resume", *_options(out))
        wrong["traceback"] += "Traceback" in ended.errors
        wrong["leftover"] += len(list(out.rglob(LEFTOVERS)))
        wrong["other output"] += contents(out) != wanted
    note = ", ".join(f"{count} {moment}" for moment, count in sorted(moments.items()))
    yield Figure("kills", sum(moments.values()), "", None, f"seed {setting.seed}: {note}")
    for what in ("partial file", "leftover", "other output", "traceback"):
        yield Figure(f"kills: {what}", wrong[what], "", at_most(0))


def _options(out: Path) -> tuple[object, ...]:
    return "--csv", out / "all.csv", "--jsonl", out / "all.jsonl", "--workers", 2


def _moment(left: dict[str, bytes], wanted: dict[str, bytes]) -> str:
    """Names the moment of a kill."""
    if not left:
        return "before the first file"
    return "after the last" if left == wanted else "between"


def _is_whole(name: str, data: bytes) -> bool:
    """Tells whether a file is whole; temporary files need not be."""
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
