"""`make pi-count`: instructions per step and memory on emulated Raspberry Pis.

An emulator has no clock, but Debian 12's QEMU can count with the plugin count_marks.c. It writes
the count at each `getppid`, which the benchmarks' steps.py calls around each step. Prints the
rows of the tables in docs/performance.md. Exits with 77 if this machine cannot count.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.processes import PROGRAMS as BENCHMARKS
from benchmarks.setting import ROOT
from bundle import debian
from bundle.processes import CannotRun, Failed, run
from bundle.systems import BOARDS, default_cache
from bundle.wheels import Wheels
from pi.counts import Counts, print_table, read_counts, steps_of
from pi.emulation import PROGRAMS, Home, fetch_system, make_home
from pi.guest_memory import guests_below
from pi.steps import DOCUMENT, read_steps

_HERE = Path(__file__).resolve().parent
_SKIPPED = 77
_SIDE = 1000  # pixels of a picture's longest side
_SAMPLES = ROOT / "docs" / "samples"
_SAMPLE_FILES = ("astronaut.jpg", "rocket.jpg")
# The face takes 40 % of the side in the cropped sample, 20 % in the whole one, and 8 % where the
# crop is pasted into a picture without people.
_PICTURES = ("portrait", "smaller face", "small face")
_MAKE_PICTURES = """\
import cv2
portrait = cv2.imread('astronaut.jpg')[0:250, 100:350]
cv2.imwrite('portrait.png', portrait)
scene = cv2.resize(cv2.imread('rocket.jpg')[:, 106:533], (1000, 1000))
scene[400:600, 400:600] = cv2.resize(portrait, (200, 200))
cv2.imwrite('scene.png', scene)
"""
# The `CPU part` in /proc/cpuinfo. This QEMU shows programs this machine's file unless the root
# folder has one.
_PARTS = {"cortex-a7": "0xc07", "cortex-a53": "0xd03", "cortex-a72": "0xd08", "cortex-a76": "0xd0b"}
_PROCESSORS = {"arm64": ("cortex-a53", "cortex-a72", "cortex-a76"), "armhf": ("cortex-a7",)}
_GETPPID = {"arm64": 173, "armhf": 64}  # system call numbers
# By system and steps of docs/raspberry-pi.md.
_COUNTED = {
    "bookworm-arm64/standard": BOARDS[0],
    "bookworm-arm64/tflite-runtime": BOARDS[0],
    "bookworm-armhf/32-bit": BOARDS[2],
}
_CPUINFO = """\
processor\t: 0
CPU implementer\t: 0x41
CPU architecture: {architecture}
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3
"""
_WORKERS = (1, 4)
_COPIES = 20  # of the first two pictures, to measure memory
_EVERY = 0.05  # seconds between two samples
# Every program runs once uncounted, to compile its modules.
_COUNT = f"""\
export OPENBLAS_NUM_THREADS=1
PATH=$HOME/igc/bin:$PATH
python -c "{_MAKE_PICTURES}"
python enlarge.py . {_SIDE} {_SIDE} portrait.png astronaut.jpg scene.png
mkdir photos xml
cp 0000.jpg photos
python start_up.py
COUNTS=start python start_up.py > start_names
image-gender-classifier --quiet -i photos -o xml
COUNTS=command image-gender-classifier --quiet -i photos -o xml
COUNTS=steps python steps.py 0000.jpg 0001.jpg 0002.jpg > steps_names
"""
_FILL_MEMORY = """\
export OPENBLAS_NUM_THREADS=1
mkdir -p many xml-{workers}
for number in $(seq {copies}); do
  cp 0000.jpg many/$number-0.jpg
  cp 0001.jpg many/$number-1.jpg
done
igc/bin/image-gender-classifier --quiet -i many -o xml-{workers} --workers {workers}
"""


def main() -> int:
    """Counts and prints the table; returns the exit code."""
    options = _parse()
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pi-count-", dir=options.cache) as folder:
        try:
            counter = Counter(options.on, options.cache.resolve(), Path(folder).resolve())
            table = {processor: counter.count(processor) for processor in options.processor}
        except CannotRun as reason:
            print(f"pi-count skipped: {reason}")
            return _SKIPPED
        except Failed as failure:
            print(f"pi-count FAILED: {failure}")
            return 1
    print_table(table)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make pi-count", allow_abbrev=False)
    add = parser.add_argument
    add(
        "--on", choices=_COUNTED, default=next(iter(_COUNTED)),
        help="system and installation steps (default: %(default)s)",
    )  # fmt: skip
    add(
        "--processor", action="append", choices=_PARTS,
        help="only this processor (repeatable; default: all of the system)",
    )  # fmt: skip
    add("--cache", type=Path, default=default_cache(), help="folder that keeps downloads")
    options = parser.parse_args()
    known = _PROCESSORS[_COUNTED[options.on].architecture]
    options.processor = options.processor or known
    if other := set(options.processor) - set(known):
        parser.error(f"{options.on} does not run on {', '.join(sorted(other))}")
    return options


class Counter:
    """Installs the package on an emulated system and counts there.

    Args:
        installation: System and steps.
        cache: Folder that keeps downloads.
        work: Folder for everything else.

    Raises:
        CannotRun: A program is missing.
        Failed: The wheel cannot be built.
    """

    def __init__(self, installation: str, cache: Path, work: Path) -> None:
        debian.check()
        if shutil.which("cc") is None:
            raise CannotRun("no C compiler for the emulator's plugin")
        self._work = work
        self._system = _COUNTED[installation]
        self._emulator = self._make_emulator(cache)
        name = installation.partition("/")[2]
        steps = read_steps(DOCUMENT.read_text("utf-8"))[name]
        self._archives = fetch_system(self._system, steps.packages, cache)
        wheels = Wheels(cache)
        self._wheels = wheels.fetch(self._system, name, steps.pip_arguments(), wheels.build(work))

    def _make_emulator(self, cache: Path) -> list[str]:
        """Unpacks the emulator with its libraries, and compiles the plugin."""
        root, architecture = self._work / "emulator", self._system.architecture
        debian.unpack(debian.fetch("bookworm", "amd64", ["qemu-user"], cache), root)
        plugin = self._work / "count_marks.so"
        flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC"]
        run(["cc", *flags, "-o", plugin, _HERE / "count_marks.c"])
        libraries = [root / "lib/x86_64-linux-gnu", root / "usr/lib/x86_64-linux-gnu"]
        return [
            str(root / "lib64/ld-linux-x86-64.so.2"),
            *("--library-path", ":".join(map(str, libraries))),
            str(root / "usr/bin" / PROGRAMS[architecture]),
            *("-plugin", f"{plugin},out=${{COUNTS:-/dev/null}},call={_GETPPID[architecture]}"),
        ]

    def count(self, processor: str) -> dict[str, int]:
        """Counts the steps of each picture and the start-up on a processor."""
        home = self._make_home(processor)
        home.run(_COUNT)

        def counts(name: str) -> Counts:
            return read_counts((home.path / name).read_text("ascii"))

        def names(name: str) -> list[str]:
            return (home.path / f"{name}_names").read_text("utf-8").splitlines()

        command = counts("command").total
        if command is None:
            raise Failed("the command was killed before the end of the count")
        found = {
            **dict(zip(names("start"), counts("start").parts, strict=True)),
            "the command's own process": command,
            **steps_of(counts("steps"), names("steps"), _PICTURES),
            **{
                f"memory in MB, {workers} worker{'s' * (workers > 1)}": self._peak(home, workers)
                for workers in _WORKERS
            },
        }
        home.remove()
        return found

    def _peak(self, home: Home, workers: int) -> int:
        """Returns the peak memory of the command and its workers over a folder, in bytes."""
        script = _FILL_MEMORY.format(workers=workers, copies=_COPIES)
        peak = 0
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(home.run, script)
            while not running.done():
                peak = max(peak, guests_below(home.root, str(self._work / "emulator")))
                time.sleep(_EVERY)
            running.result()
        return peak

    def _make_home(self, processor: str) -> Home:
        root = self._work / processor
        home = make_home(root, self._system, self._archives, self._emulator, processor)
        (root / "proc").mkdir()
        (root / "proc" / "cpuinfo").write_text(
            _CPUINFO.format(
                part=_PARTS[processor], architecture=7 if processor == "cortex-a7" else 8
            )
        )
        home.unpack(self._wheels)
        for program in (BENCHMARKS / "enlarge.py", BENCHMARKS / "steps.py", _HERE / "start_up.py"):
            shutil.copy(program, home.path)
        for name in _SAMPLE_FILES:
            shutil.copy(_SAMPLES / name, home.path)
        return home


if __name__ == "__main__":
    sys.exit(main())
