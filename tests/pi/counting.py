"""Counts the instructions of a picture's way on an emulated Raspberry Pi: `python -m pi.counting`.

An emulator has no clock, but it can count. Debian 12's QEMU takes plugins; count_marks.c is one
that writes down the count at each call of `getppid`, which the benchmarks' steps.py makes before
and behind each step. Prints the rows of the tables in docs/raspberry-pi.md. Ends with 77 where this
machine cannot count.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pi import debian
from pi.commands import run
from pi.counts import Counts, print_table, read_counts, steps_of
from pi.errors import CannotRun, Failed
from pi.guest_memory import guests_below
from pi.places import Place, default_cache, emulated, fetch_system, make_place
from pi.steps import read_steps
from pi.systems import SYSTEMS, Debian, Emulation, System
from pi.wheels import Wheels

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parent.parent
_PROGRAMS = _HERE.parent / "benchmarks" / "programs"
_SKIPPED = 77
_SIDE = 1000  # pixels of a picture's longer side
_SAMPLE = _CHECKOUT / "docs" / "samples" / "astronaut.jpg"
# The sample's face, 40 % of the side, and the whole sample, where it is 20 %.
_PICTURES = ("portrait", "smaller face")
_CUT = "import cv2; cv2.imwrite('portrait.png', cv2.imread('sample.jpg')[0:250, 100:350])"
# By QEMU's name of a processor, the number by which /proc/cpuinfo tells it: this QEMU shows
# programs this machine's own, unless there is one in the root folder.
_PARTS = {"cortex-a7": "0xc07", "cortex-a53": "0xd03", "cortex-a72": "0xd08", "cortex-a76": "0xd0b"}
_64_BIT, _32_BIT = ("cortex-a53", "cortex-a72", "cortex-a76"), ("cortex-a7",)
# By architecture, the number by which programs call getppid.
_GETPPID = {"arm64": 173, "armhf": 64}
_CPUINFO = """\
processor\t: 0
CPU implementer\t: 0x41
CPU architecture: {architecture}
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
class Counted:
    """An installation that is counted.

    Attributes:
        system: The system's name.
        steps: The name of the block of steps that installs on it.
        processors: The processors that it is counted on.
    """

    system: str
    steps: str
    processors: tuple[str, ...]


_COUNTED = {
    f"{system}/{steps}": Counted(system, steps, processors)
    for system, steps, processors in (
        ("bookworm-arm64", "standard", _64_BIT),
        ("bookworm-arm64", "tflite-runtime", _64_BIT),
        ("bookworm-armhf", "32-bit", _32_BIT),
    )
}


def main() -> int:
    """Counts and prints; gives the exit code."""
    parser = argparse.ArgumentParser(prog="make pi-count", allow_abbrev=False)
    add = parser.add_argument
    add(
        "--on", choices=_COUNTED, default=next(iter(_COUNTED)),
        help="system and the steps that install on it (default: %(default)s)",
    )  # fmt: skip
    add(
        "--processor", action="append", choices=_PARTS,
        help="only this one (default: all that are known for the system)",
    )  # fmt: skip
    add("--cache", type=Path, default=default_cache(), help="folder that keeps downloads")
    options = parser.parse_args()
    counted = _COUNTED[options.on]
    processors = options.processor or counted.processors
    if other := set(processors) - set(counted.processors):
        parser.error(f"{options.on} is not counted on {', '.join(sorted(other))}")
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pi-counting-", dir=options.cache) as folder:
        try:
            counter = Counter(counted, options.cache.resolve(), Path(folder).resolve())
            table = {processor: counter.count(processor) for processor in processors}
        except CannotRun as reason:
            print(f"counting skipped: {reason}")
            return _SKIPPED
        except Failed as failure:
            print(f"counting FAILED: {failure}")
            return 1
    print_table(table)
    return 0


class Counter:
    """Installs the tool on an emulated system and counts there.

    Args:
        counted: What is installed, and where.
        cache: Folder that keeps what is downloaded.
        work: Folder for everything else.

    Raises:
        CannotRun: A program is missing here.
        Failed: The wheel cannot be built.
    """

    def __init__(self, counted: Counted, cache: Path, work: Path) -> None:
        debian.check()
        if shutil.which("cc") is None:
            raise CannotRun("no C compiler is here, for the emulator's plugin")
        self._work = work
        (self._system,) = [system for system in SYSTEMS if system.name == counted.system]
        self._debian = _debian(self._system)
        self._emulator = self._make_emulator(cache)
        steps = read_steps((_CHECKOUT / "docs" / "raspberry-pi.md").read_text("utf-8"))
        self._archives = fetch_system(self._debian, steps[counted.steps].packages, cache)
        run([sys.executable, "-m", "venv", work / "pip"])
        wheels = Wheels([work / "pip" / "bin" / "python", "-m", "pip", "--quiet"], cache)
        wheel = wheels.build(_CHECKOUT, work)
        wanted = steps[counted.steps].pip_arguments()
        fetched = wheels.fetch(self._system, counted.steps, wanted, wheel)
        # The cache may have an older one of ours.
        others = (path for path in fetched.glob("*.whl") if path.name != wheel.name)
        self._wheels = [*others, wheel]

    def _make_emulator(self, cache: Path) -> list[str]:
        """Unpacks the emulator with this machine's kind of libraries, and compiles the plugin."""
        root = self._work / "emulator"
        call = _GETPPID[self._debian.architecture]
        debian.unpack(debian.fetch("bookworm", "amd64", ["qemu-user"], cache), root)
        plugin = self._work / "count_marks.so"
        flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC"]
        run(["cc", *flags, "-o", plugin, _HERE / "count_marks.c"])
        libraries = [root / "lib/x86_64-linux-gnu", root / "usr/lib/x86_64-linux-gnu"]
        return [
            str(root / "lib64/ld-linux-x86-64.so.2"),
            *("--library-path", ":".join(map(str, libraries))),
            str(root / "usr/bin" / _emulation(self._debian).program),
            *("-plugin", f"{plugin},out=${{COUNTS:-/dev/null}},call={call}"),
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
        found |= {_COMMAND: command, **steps_of(counts("steps"), names("steps"), _PICTURES)}
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
        (root / "proc" / "cpuinfo").write_text(_cpuinfo(processor))
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


def _emulation(debian: Debian) -> Emulation:
    assert debian.emulation is not None
    return debian.emulation


def _cpuinfo(processor: str) -> str:
    architecture = 7 if processor in _32_BIT else 8
    return _CPUINFO.format(part=_PARTS[processor], architecture=architecture)


if __name__ == "__main__":
    sys.exit(main())
