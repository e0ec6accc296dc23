"""Instructions of each step of a picture, counted by callgrind on any machine, busy or not.

The measured programs call `getppid` before and after each step, and callgrind writes a dump at each
of these calls.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import CannotMeasure, Figure, at_most, skipped
from benchmarks.pictures import enlarge
from benchmarks.processes import PROGRAMS
from benchmarks.setting import Setting

_SIDES = (250, 1000, 1500, 4000)
_WHOLE = "bytes to XML"  # the step of steps.py that equals the peer's one step
_TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
_NAME = "instructions of each step"
_PEER = "instructions against the peer's"


def measure(setting: Setting) -> Iterator[Figure]:
    """Counts the steps of one picture of each size, then the peer's."""
    if shutil.which("valgrind") is None:
        yield skipped(_NAME, "valgrind is not installed")
        return
    paths = [enlarge(setting.portraits[:1], side, setting.work / f"{side}")[0] for side in _SIDES]
    ours = count([Path(sys.executable), PROGRAMS / "steps.py", *paths], setting.work / "callgrind")
    for key, instructions in ours.items():
        name, side = split_key(key)
        yield Figure(f"instructions: {name}, {side:,} pixels", instructions / 1e6, "million")
    try:
        program = PROGRAMS / "peer_loop.py"
        peer = count(
            [setting.peer_python, program, "count", *paths], setting.work / "callgrind-peer"
        )
    except CannotMeasure as error:
        yield skipped(_PEER, str(error))
        return
    for key, instructions in peer.items():
        name, side = split_key(key)
        whole = ours[f"{key.split()[0]} {_WHOLE}"]
        yield Figure(f"instructions: {name}, {side:,} pixels", instructions / 1e6, "million")
        yield Figure(f"{_PEER}, {side:,} pixels", whole / instructions, "x", at_most(0.2))


def count(command: Sequence[str | Path], folder: Path) -> dict[str, int]:
    """Counts the marked steps of a program that prints one name for each.

    Raises:
        CannotMeasure: Valgrind cannot run the program.
    """
    folder.mkdir()
    options = ("--quiet", "--dump-before=getppid", f"--callgrind-out-file={folder / 'dump'}")
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", *options, *command],
        capture_output=True,
        text=True,
        check=False,
    )
    names = done.stdout.splitlines()
    if done.returncode != 0 or not names:
        last = "".join(done.stderr.strip().splitlines()[-1:])
        raise CannotMeasure(f"valgrind exited with code {done.returncode}: {last}")
    # Dump 1 is the start, dump 3 the code between the first and the second step, and so on.
    dumps = [folder / f"dump.{2 * i + 2}" for i in range(len(names))]
    totals = [parse_total(dump.read_text("utf-8", "replace")) for dump in dumps]
    return dict(zip(names, totals, strict=True))


def parse_total(dump: str) -> int:
    """Returns the number of instructions in a dump of callgrind.

    Raises:
        ValueError: The text is not such a dump.
    """
    found = _TOTALS.search(dump)
    if found is None:
        raise ValueError("no totals")
    return int(found[1])


def split_key(key: str) -> tuple[str, int]:
    """Splits `<picture number> <step>` into the step and the picture's longest side."""
    number, _, name = key.partition(" ")
    return name, _SIDES[int(number)]
