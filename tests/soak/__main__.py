"""Stress test with a table: `make soak`, or `python -m soak`. The whole takes some minutes."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import table
from benchmarks.figures import Figure
from benchmarks.setting import ROOT
from soak import endurance, hostile, kills, low_memory
from soak.setting import Setting

PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "hostile": hostile.measure,
    "kills": kills.measure,
    "endurance": endurance.measure,
    "memory": low_memory.measure,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the chosen parts; returns the exit code."""
    options = _parser().parse_args(argv)
    shutil.rmtree(options.keep, ignore_errors=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="soak-", dir=options.work) as work:
        setting = Setting(Path(work), options.keep, options.seed, options.scale, options.seconds)
        for name in options.parts:
            began = time.monotonic()
            figures += PARTS[name](setting)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print("\n".join(table.lines(figures)))
    failed = [figure for figure in figures if not met(figure)]
    if options.keep.exists():
        print(f"\nfiles that broke something are in {options.keep}")
    return 1 if failed else 0


def met(figure: Figure) -> bool:
    """Tells whether a figure meets its target, if it has one."""
    return figure.value is None or figure.target is None or figure.target.met(figure.value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soak", description="Stress test of the command.")
    add = parser.add_argument
    add(
        "--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART",
        help=f"parts to run, of: {', '.join(PARTS)}",
    )  # fmt: skip
    add("--scale", type=float, default=1.0, help="fraction of the usual files, kills and pictures")
    add(
        "--seconds", type=float, metavar="S",
        help="how long to try hostile files, of one seed after another",
    )  # fmt: skip
    add("--seed", type=int, default=6, help="seed of all random choices")
    add("--work", type=Path, help="folder for temporary files (default: the system's)")
    add(
        "--keep",
        type=Path,
        default=ROOT / "runs" / "soak",
        help="folder for files that broke something",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
