"""`make pi-test`: the built wheel on every system that it is for, compared with this machine.

Ends with 0 where all is well, 1 where a system fails, 77 where this machine cannot run the test or
a part of it.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pi import pictures
from pi.comparer import Comparer
from pi.errors import CannotRun, Failed
from pi.places import default_cache
from pi.systems import SYSTEMS, Installation, System

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_SAMPLES = _CHECKOUT / "docs" / "samples"
_SKIPPED = 77
_SMALL_SYSTEMS, _SMALL_COUNT = ("bookworm-arm64, standard", "bookworm-amd64-avx2"), 10


def main() -> int:
    """Runs the test; gives its exit code."""
    options = _parse()
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("pi-test skipped: it wants Linux on x86-64, to compare with")
        return _SKIPPED
    chosen = pictures.choose(options.shared, _SAMPLES, options.pictures)
    print(f"{len(chosen)} pictures of {chosen[0].parent}", flush=True)
    options.cache.mkdir(parents=True, exist_ok=True)
    work = options.work or options.cache
    with tempfile.TemporaryDirectory(prefix="pi-test-", dir=work) as folder:
        try:
            comparer = Comparer(
                _CHECKOUT, options.cache.resolve(), Path(folder).resolve(), tuple(options.runtime)
            )
            return _try_all(comparer, options, chosen)
        except CannotRun as reason:
            print(f"pi-test skipped: {reason}")
            return _SKIPPED
        except Failed as failure:
            print(f"pi-test FAILED: {failure}")
            return 1


def _try_all(comparer: Comparer, options: argparse.Namespace, chosen: list[Path]) -> int:
    wanted = _wanted(options)
    debians = [system.debian for _, system, _ in wanted if system.debian]
    if debians:
        comparer.prepare_debians(debians)
    started = time.monotonic()
    reference = comparer.reference(chosen)
    _tell("this machine", started, ["made what the others are compared with"])
    try:
        _tell("this machine", started, comparer.compare_here(reference))
    except Failed as failure:
        _tell("this machine", started, [f"FAILED: {failure}"])
        return 1

    def try_out(name: str, system: System, installation: Installation) -> bool | None:
        started = time.monotonic()
        try:
            _tell(name, started, comparer.try_out(system, installation, reference))
        except Failed as failure:
            _tell(name, started, [f"FAILED: {failure}"])
            return False
        except CannotRun as reason:
            _tell(name, started, [f"skipped: {reason}"])
            return None
        return True

    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(try_out, *zip(*wanted, strict=True)))
    well, skipped = outcomes.count(True), outcomes.count(None)
    print(f"{well} of {len(outcomes)} installations are well, {skipped} skipped", flush=True)
    if False in outcomes:
        return 1
    return _SKIPPED if skipped else 0


def _wanted(options: argparse.Namespace) -> list[tuple[str, System, Installation]]:
    """The installations that are asked for, with their names."""
    named = [
        (f"{system.name}, {' + '.join(installation.steps)}", system, installation)
        for system in SYSTEMS
        for installation in system.installations
        if set(installation.runtimes) & set(options.runtime)
    ]
    wanted = [one for one in named if one[0].startswith(tuple(options.system))]
    if not wanted:
        raise Failed(f"no system's name begins with {' or '.join(options.system)}")
    return wanted


def _tell(name: str, started: float, lines: list[str]) -> None:
    for line in lines:
        print(f"{name} ({time.monotonic() - started:.0f} s): {line}", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make pi-test", allow_abbrev=False)
    add = parser.add_argument
    add(
        "--system", action="append", metavar="NAME",
        help="only systems whose name begins so: "
        + ", ".join(system.name for system in SYSTEMS)
        + " (default: all; may be given several times)",
    )  # fmt: skip
    add(
        "--runtime", action="append", choices=("tflite", "onnx"),
        help="only this runtime (default: both)",
    )  # fmt: skip
    add(
        "--pictures", type=int, default=50, metavar="N",
        help="how many portraits (default: %(default)s)",
    )  # fmt: skip
    add(
        "--jobs", type=int, default=os.cpu_count(), metavar="N",
        help="systems tried at a time (default: one a core, here %(default)s)",
    )  # fmt: skip
    add(
        "--small", action="store_true",
        help=f"the small part: 64-bit ARM, and x86-64 without VNNI, "
        f"{_SMALL_COUNT} pictures",
    )  # fmt: skip
    add(
        "--shared", type=Path, default=_CHECKOUT.parent / "shared", metavar="DIR",
        help="folder of shared data sets, with the portraits (default: %(default)s)",
    )  # fmt: skip
    add(
        "--cache", type=Path, default=default_cache(), metavar="DIR",
        help="folder that keeps downloads; delete it to see today's versions "
        "(default: %(default)s)",
    )  # fmt: skip
    add(
        "--work", type=Path, metavar="DIR",
        help="folder for 2 GB of temporary files (default: that of --cache)",
    )  # fmt: skip
    options = parser.parse_args()
    if options.small:
        options.system = list(_SMALL_SYSTEMS)
        options.pictures = _SMALL_COUNT
    options.system = options.system or [""]
    options.runtime = options.runtime or ["tflite", "onnx"]
    return options


if __name__ == "__main__":
    sys.exit(main())
