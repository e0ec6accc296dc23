"""What each step of a picture's way takes: milliseconds, and instructions where valgrind is.

Times say where to look, instructions whether a change helped: they stay the same to a per cent
on the noisiest machine, though they don't see a cache that misses or a wider register.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import callgrind
from benchmarks.figures import CannotMeasure, Figure, at_most, skipped
from benchmarks.pictures import enlarge
from benchmarks.processes import PROGRAMS, ask
from benchmarks.setting import Setting

_COUNTS = {250: 40, 1000: 12, 1500: 12, 4000: 6}
_REPEATS = 5
_ALL_BUT_FILES = "all but the files"  # the step of steps.py that the peer's way is compared with


def measure_times(setting: Setting) -> Iterator[Figure]:
    """Milliseconds a picture of each step, on one thread."""
    steps: dict[str, float]
    for side, count in _COUNTS.items():
        paths = _pictures(setting, side, setting.times(count, fewest=2))
        steps = ask("steps", "time", _REPEATS, *paths)
        for name, milliseconds in steps.items():
            yield Figure(f"{name}, {side:,} pixels", milliseconds, "ms")


def measure_instructions(setting: Setting) -> Iterator[Figure]:
    """Millions of instructions a picture of each step; of the sizes one picture each."""
    if shutil.which("valgrind") is None:
        yield skipped("instructions of each step", "valgrind is not installed")
        return
    paths = [_pictures(setting, side, 1)[0] for side in _COUNTS]
    try:
        counted = callgrind.count(PROGRAMS / "steps.py", setting.work / "callgrind", paths)
    except CannotMeasure as why:
        yield skipped("instructions of each step", str(why))
        return
    for key, instructions in counted.items():
        name, side = split_key(key, list(_COUNTS))
        yield Figure(f"instructions: {name}, {side:,} pixels", instructions / 1e6, "million")
    yield from _against_peer(setting, paths, counted)


def _against_peer(
    setting: Setting, paths: Sequence[Path], ours: Mapping[str, int]
) -> Iterator[Figure]:
    what = "instructions against the peer's"
    try:
        python = setting.peer_python
        peer = callgrind.count(
            PROGRAMS / "peer_steps.py", setting.work / "callgrind-peer", paths, python
        )
    except CannotMeasure as why:
        yield skipped(what, str(why))
        return
    for key, instructions in peer.items():
        name, side = split_key(key, list(_COUNTS))
        yield Figure(f"instructions: {name}, {side:,} pixels", instructions / 1e6, "million")
        number = key.partition(" ")[0]
        ratio = ours[f"{number} {_ALL_BUT_FILES}"] / instructions
        yield Figure(f"{what}, {side:,} pixels", ratio, "x", at_most(0.2))


def split_key(key: str, sides: list[int]) -> tuple[str, int]:
    """Splits `<number of the picture> <step>` into the step and the picture's side."""
    number, _, name = key.partition(" ")
    return name, sides[int(number)]


def _pictures(setting: Setting, side: int, count: int) -> list[Path]:
    sources = setting.portraits[:count]
    return enlarge(sources, side, setting.work / f"steps-{side}")
