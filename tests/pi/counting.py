"""Counts the instructions of a picture's way on an emulated Raspberry Pi: `python -m pi.counting`.

An emulator has no clock, but it can count. Debian 12's QEMU takes plugins; count_marks.c is one
that writes down the count at each call of `getppid`, which the benchmarks' steps.py makes before
and behind each step. Prints the rows of the table in docs/raspberry-pi.md. Ends with 77 where this
machine cannot count.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pi import debian
from pi.commands import run
from pi.errors import CannotRun, Failed
from pi.guest_memory import guests_below
from pi.places import Place, default_cache, emulated, fetch_system, make_place
from pi.steps import read_steps
from pi.systems import SYSTEMS, Debian, System
from pi.wheels import Wheels

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parent.parent
_PROGRAMS = _HERE.parent / "benchmarks" / "programs"
_SKIPPED = 77
_SYSTEM = "bookworm-arm64"
_SIDE = 1000  # pixels of a picture's longer side
_SAMPLE = _CHECKOUT / "docs" / "samples" / "astronaut.jpg"
# The sample's face, 40 % of the side, and the whole sample, where it is 20 %.
_PICTURES = ("portrait", "smaller face")
_CUT = "import cv2; cv2.imwrite('portrait.png', cv2.imread('sample.jpg')[0:250, 100:350])"
# By QEMU's name of a processor, the number by which /proc/cpuinfo tells it: this QEMU shows
# programs this machine's own, unless there is one in the root folder.
_PROCESSORS = {"cortex-a53": "0xd03", "cortex-a72": "0xd08", "cortex-a76": "0xd0b"}
_CPUINFO = """\
processor\t: 0
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3
"""
_COMMAND = "the command's own process"
_WORKERS = (1, 4)
_COPIES = 20  # of both pictures, for the memory
_EVERY = 0.05  # seconds
_FOLDER_SCRIPT = """\
export OPENBLAS_NUM_THREADS=1 PYTHONPATH={packages}
mkdir -p many verdicts-{workers}
for number in $(seq {copies}); do
  cp 0000.jpg many/$number-0.jpg
  cp 0001.jpg many/$number-1.jpg
done
python3 -m image_gender_classifier --quiet -i many -o verdicts-{workers} --workers {workers}
"""
# Each program runs once uncounted, so that its modules are compiled.
_SCRIPT = """\
export OPENBLAS_NUM_THREADS=1 PYTHONPATH={packages}
python3 -c "{cut}"
python3 enlarge.py . {side} {side} portrait.png sample.jpg
mkdir photos verdicts
cp 0000.jpg photos
python3 start_up.py
COUNTS=start python3 start_up.py > start_names
python3 -m image_gender_classifier --quiet -i photos -o verdicts
COUNTS=command python3 -m image_gender_classifier --quiet -i photos -o verdicts
COUNTS=steps python3 steps.py count 0000.jpg 0001.jpg > steps_names
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an emulated program's plugin wrote.

    Attributes:
        parts: Instructions from each mark to the next, the first from the program's beginning.
        total: Instructions in all; None where the program was killed.
    """

    parts: tuple[int, ...]
    total: int | None


def read_counts(text: str) -> Counts:
    """Reads the lines of one process: `mark COUNT` and `end COUNT`."""
    lines = [line.split() for line in text.splitlines()]
    marks = [int(count) for word, count in lines if word == "mark"]
    ends = [int(count) for word, count in lines if word == "end"]
    parts = tuple(after - before for before, after in zip([0, *marks], marks, strict=False))
    return Counts(parts, ends[-1] if ends else None)


def steps_of(counts: Counts, names: Sequence[str]) -> dict[str, int]:
    """Gives the marked steps their names, which are printed as `NUMBER NAME`."""
    marked = counts.parts[1::2]  # the others are what lies between two steps
    found = {}
    for name, count in zip(names, marked, strict=True):
        number, _, step = name.partition(" ")
        found[f"{_PICTURES[int(number)]}: {step}"] = count
    return found


def main() -> int:
    """Counts and prints; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pi.counting", allow_abbrev=False)
    add = parser.add_argument
    add("--processor", action="append", choices=_PROCESSORS, help="only this one (default: all)")
    add("--cache", type=Path, default=default_cache(), help="as for make pi-test")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pi-counting-", dir=options.cache) as folder:
        try:
            counter = Counter(options.cache.resolve(), Path(folder).resolve())
            table = {
                processor: counter.count(processor)
                for processor in options.processor or _PROCESSORS
            }
        except CannotRun as reason:
            print(f"counting skipped: {reason}")
            return _SKIPPED
        except Failed as failure:
            print(f"counting FAILED: {failure}")
            return 1
    print_table(table)
    return 0


def print_table(table: Mapping[str, Mapping[str, int]]) -> None:
    """Prints millions of instructions, a column a processor."""
    print("| millions (instructions, unless it says bytes) |", " | ".join(table), "|")
    print("|---" * (len(table) + 1) + "|")
    for name in next(iter(table.values())):
        print(f"| {name} |", " | ".join(f"{one[name] / 1e6:.2f}" for one in table.values()), "|")


class Counter:
    """Installs the tool on an emulated system and counts there.

    Args:
        cache: Folder that keeps what is downloaded.
        work: Folder for everything else.

    Raises:
        CannotRun: A program is missing here.
        Failed: The wheel cannot be built.
    """

    def __init__(self, cache: Path, work: Path) -> None:
        debian.check()
        if shutil.which("cc") is None:
            raise CannotRun("no C compiler is here, for the emulator's plugin")
        self._work = work
        self._emulator = self._make_emulator(cache)
        (self._system,) = [system for system in SYSTEMS if system.name == _SYSTEM]
        self._archives = fetch_system(_debian(self._system), (), cache)
        run([sys.executable, "-m", "venv", work / "pip"])
        wheels = Wheels([work / "pip" / "bin" / "python", "-m", "pip", "--quiet"], cache)
        wheel = wheels.build(_CHECKOUT, work)
        steps = read_steps((_CHECKOUT / "docs" / "raspberry-pi.md").read_text("utf-8"))["standard"]
        fetched = wheels.fetch(self._system, "standard", steps.pip_arguments(), wheel)
        # The cache may have an older one of ours.
        others = (path for path in fetched.glob("*.whl") if path.name != wheel.name)
        self._wheels = [*others, wheel]

    def _make_emulator(self, cache: Path) -> list[str]:
        """Unpacks the emulator with this machine's kind of libraries, and compiles the plugin."""
        root = self._work / "emulator"
        debian.unpack(debian.fetch("bookworm", "amd64", ["qemu-user"], cache), root)
        plugin = self._work / "count_marks.so"
        flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC"]
        run(["cc", *flags, "-o", plugin, _HERE / "count_marks.c"])
        libraries = [root / "lib/x86_64-linux-gnu", root / "usr/lib/x86_64-linux-gnu"]
        return [
            str(root / "lib64/ld-linux-x86-64.so.2"),
            *("--library-path", ":".join(map(str, libraries))),
            str(root / "usr/bin/qemu-aarch64"),
            *("-plugin", f"{plugin},out=${{COUNTS:-/dev/null}}"),
        ]

    def count(self, processor: str) -> dict[str, int]:
        """Counts two pictures' steps on a processor, and what comes before the first picture."""
        place = self._make_place(processor)
        shutil.copy(_SAMPLE, place.home / "sample.jpg")
        packages = self._unpack_wheels(place)
        place.run(_SCRIPT.format(side=_SIDE, cut=_CUT, packages=packages))

        def counts(name: str) -> Counts:
            return read_counts((place.home / name).read_text("ascii"))

        def names(name: str) -> list[str]:
            return (place.home / f"{name}_names").read_text("utf-8").splitlines()

        command = counts("command").total
        if command is None:
            raise Failed("the command was not counted to its end")
        found = dict(zip(names("start"), counts("start").parts, strict=True))
        found |= {_COMMAND: command, **steps_of(counts("steps"), names("steps"))}
        for workers in _WORKERS:
            name = f"memory in bytes, {workers} worker{'s' * (workers > 1)}"
            found[name] = self._most_memory(place, packages, workers)
        place.remove()
        return found

    def _most_memory(self, place: Place, packages: Path, workers: int) -> int:
        """The most that the command and what it starts hold over a folder, in bytes."""
        script = _FOLDER_SCRIPT.format(packages=packages, workers=workers, copies=_COPIES)
        most = 0
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(place.run, script)
            while not running.done():
                most = max(most, guests_below(place.root, str(self._work / "emulator")))
                time.sleep(_EVERY)
            running.result()
        return most

    def _make_place(self, processor: str) -> Place:
        root = self._work / processor
        start_as = emulated(self._emulator, processor, root)
        place = make_place(root, self._system.python, self._archives, start_as)
        (root / "proc").mkdir()
        (root / "proc" / "cpuinfo").write_text(_CPUINFO.format(part=_PROCESSORS[processor]))
        for program in (_PROGRAMS / "enlarge.py", _PROGRAMS / "steps.py", _HERE / "start_up.py"):
            shutil.copy(program, place.home)
        return place

    def _unpack_wheels(self, place: Place) -> Path:
        packages = place.home / "packages"
        for wheel in self._wheels:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(packages)
        return packages


def _debian(system: System) -> Debian:
    assert system.debian is not None
    return system.debian


if __name__ == "__main__":
    sys.exit(main())
