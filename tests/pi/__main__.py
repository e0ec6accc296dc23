"""`make pi-test`: compares the wheel's answers on emulated systems with those on this machine.

Exits with 0 if all are the same, 1 if an installation fails, and 77 if this machine cannot run the
test or a part of it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.pictures import find_portraits
from benchmarks.setting import ROOT
from bundle.processes import CannotRun, Failed
from bundle.systems import default_cache
from pi.installations import INSTALLATIONS, SMALL, Installation
from pi.trial import Trial

_SKIPPED = 77
_PICTURES, _FEW = 50, 5


def main() -> int:
    """Runs the test; returns the exit code."""
    options = _parse()
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("pi-test skipped: it needs Linux on x86-64")
        return _SKIPPED
    pictures = _find_pictures(options.shared, options.pictures)
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pi-test-", dir=options.work or options.cache) as work:
        try:
            return _run(options, Path(work).resolve(), pictures)
        except CannotRun as reason:
            print(f"pi-test skipped: {reason}")
            return _SKIPPED
        except Failed as failure:
            print(f"pi-test FAILED: {failure}")
            return 1


def _find_pictures(shared: Path, count: int) -> list[Path]:
    """Returns pictures in their order: portraits, and pictures that need all steps of detection.

    A fifth are difficult pictures and a fifth have no face. Without the shared pictures, these are
    the samples.
    """
    portraits, real = find_portraits(shared, ROOT)
    if not real:
        return sorted((ROOT / "docs" / "samples").glob("*.jpg"))
    others = [
        path
        for name in ("wider", "no_face")
        for path in sorted((shared / "portraits" / name).glob("*.jpg"))[: count // 5]
    ]
    return sorted([*portraits[: count - len(others)], *others])


def _run(options: argparse.Namespace, work: Path, pictures: list[Path]) -> int:
    wanted = _wanted(options)
    trial = Trial(options.cache.resolve(), work, options.runtime, unpack=options.small)
    trial.prepare(installation.system.architecture for installation in wanted)
    reference = trial.reference(pictures)
    if not _report("this machine", lambda: trial.compare_runtimes(reference)):
        return 1
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(
            pool.map(lambda one: _report(one.name, lambda: trial.run(one, reference)), wanted)
        )
    passed, skipped = outcomes.count(True), outcomes.count(None)
    print(f"{len(pictures)} pictures: {passed} of {len(outcomes)} passed, {skipped} skipped")
    if False in outcomes:
        return 1
    return _SKIPPED if skipped else 0


def _report(name: str, compare: Callable[[], list[str]]) -> bool | None:
    """Prints the lines of a comparison; tells whether it passed, None if it was skipped."""
    started = time.monotonic()
    passed: bool | None = True
    try:
        lines = compare()
    except Failed as failure:
        lines, passed = [f"FAILED: {failure}"], False
    except CannotRun as reason:
        lines, passed = [f"skipped: {reason}"], None
    for line in lines:
        print(f"{name} ({time.monotonic() - started:.0f} s): {line}", flush=True)
    return passed


def _wanted(options: argparse.Namespace) -> list[Installation]:
    wanted = [
        one
        for one in (SMALL if options.small else INSTALLATIONS)
        if one.name.startswith(tuple(options.system)) and set(one.runtimes) & set(options.runtime)
    ]
    if not wanted:
        raise Failed(f"no system's name begins with {' or '.join(options.system)}")
    return wanted


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make pi-test", allow_abbrev=False)
    add = parser.add_argument
    names = ", ".join(installation.name for installation in INSTALLATIONS)
    add(
        "--system", action="append", metavar="NAME",
        help=f"only systems whose name begins with NAME: {names} (repeatable; default: all)",
    )  # fmt: skip
    add(
        "--runtime", action="append", choices=("tflite", "onnx"),
        help="only this runtime (default: both)",
    )  # fmt: skip
    add(
        "--pictures", type=int, metavar="N",
        help=f"number of pictures (default: {_PICTURES}, {_FEW} with --small)",
    )  # fmt: skip
    add(
        "--jobs", type=int, default=os.cpu_count(), metavar="N",
        help="systems to try at a time (default: one per core, here %(default)s)",
    )  # fmt: skip
    add(
        "--small", action="store_true",
        help="64-bit ARM with LiteRT and x86-64 without VNNI only; unpacks wheels instead of "
        "running the documented steps",
    )  # fmt: skip
    add(
        "--shared", type=Path, default=ROOT.parent / "shared", metavar="DIR",
        help="folder of shared data sets with the portraits (default: %(default)s)",
    )  # fmt: skip
    add(
        "--cache", type=Path, default=default_cache(), metavar="DIR",
        help="folder that keeps downloads; delete it to test newer versions (default: %(default)s)",
    )  # fmt: skip
    add(
        "--work", type=Path, metavar="DIR",
        help="folder for 2 GB of temporary files (default: that of --cache)",
    )  # fmt: skip
    options = parser.parse_args()
    options.system = options.system or [""]
    options.runtime = options.runtime or ["tflite", "onnx"]
    options.pictures = options.pictures or (_FEW if options.small else _PICTURES)
    return options


if __name__ == "__main__":
    sys.exit(main())
