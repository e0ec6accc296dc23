"""Takes the built wheel through one system after the other."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pi import bundle, pythons, trial
from pi.commands import run
from pi.errors import CannotRun, Failed
from pi.places import Debians, Place, on_this_machine
from pi.steps import Steps, read_steps
from pi.systems import ADDED_RUNTIMES, BUNDLE, Debian, Installation, System, this_machine
from pi.trial import Findings
from pi.wheels import Wheels

_DOCUMENT = Path("docs") / "raspberry-pi.md"


@dataclass(frozen=True, slots=True)
class Reference:
    """What systems are compared with.

    Attributes:
        pictures: The pictures.
        crops: The file of crops.
        step: Quantisation step of the network's answer.
        findings: By runtime, what this machine says; LiteRT's is what all must agree with.
    """

    pictures: list[Path]
    crops: Path
    step: float
    findings: dict[str, Findings]


class Comparer:
    """Installs the tool on systems and compares what it says there with what it says here.

    Args:
        checkout: The project's folder.
        cache: Folder that keeps what is downloaded.
        work: Folder for everything else.
        runtimes: The runtimes to try.

    Raises:
        CannotRun: This machine cannot make virtual environments.
        Failed: The wheel cannot be built.
    """

    def __init__(self, checkout: Path, cache: Path, work: Path, runtimes: tuple[str, ...]) -> None:
        self._cache = cache
        self._work = work
        self._runtimes = runtimes
        self._steps = read_steps((checkout / _DOCUMENT).read_text("utf-8"))
        self._python = Path(sys.executable)
        try:
            run([self._python, "-m", "venv", work / "pip"])
        except Failed as failure:
            raise CannotRun(f"{self._python} makes no virtual environment: {failure}") from None
        self._pip = work / "pip" / "bin" / "python"
        self._wheels = Wheels([self._pip, "-m", "pip", "--quiet"], cache)
        self._wheel = self._wheels.build(checkout, work)
        self._debians: Debians | None = None
        self._downloads = Lock()  # one at a time: some share a folder of the cache

    def prepare_debians(self, systems: Iterable[Debian]) -> None:
        """Fetches what runs the programs of some systems.

        Raises:
            CannotRun: It cannot be had or does not work here.
        """
        self._debians = Debians(self._cache, self._work / "systems")
        self._debians.prepare_emulators(systems)

    def reference(self, chosen: list[Path]) -> Reference:
        """Lets this machine judge the pictures."""
        system = this_machine()
        place = on_this_machine(self._work / "reference", self._python)
        self._install(system, system.installations[0], place)
        trial.give_pictures(place, chosen)
        step = trial.cut_crops(place)
        runtimes = dict.fromkeys((trial.REFERENCE, *self._runtimes))
        findings = {runtime: trial.find(place, runtime) for runtime in runtimes}
        return Reference(chosen, place.home / trial.CROPS, step, findings)

    def compare_here(self, reference: Reference) -> list[str]:
        """Compares this machine's other runtimes with LiteRT; gives a line of figures for each.

        Raises:
            Failed: They answer otherwise.
        """
        return [
            _compared(reference, runtime, found)
            for runtime, found in reference.findings.items()
            if runtime != trial.REFERENCE
        ]

    def try_out(
        self, system: System, installation: Installation, reference: Reference
    ) -> list[str]:
        """Installs the tool on a system and compares; gives a line of figures for each runtime.

        Raises:
            CannotRun: Its Python cannot be had.
            Failed: The system cannot be installed or answers otherwise than this machine.
        """
        name = f"{system.name}-{installation.steps[0]}"
        steps = self._steps_of(installation)
        place = self._make_place(name, system, steps.packages)
        try:
            self._install(system, installation, place)
            return self._look(place, installation, reference)
        finally:
            place.remove()

    def _look(self, place: Place, installation: Installation, reference: Reference) -> list[str]:
        trial.give_pictures(place, reference.pictures)
        shutil.copy(reference.crops, place.home)
        lines = []
        for runtime in installation.runtimes:
            if runtime in self._runtimes:
                lines.append(_compared(reference, runtime, trial.find(place, runtime)))
        return lines

    def _blocks_of(self, installation: Installation) -> list[str]:
        """The names of an installation's steps, without a runtime that is not to be tried."""
        return [
            name
            for name in installation.steps
            if name not in ADDED_RUNTIMES or name in self._runtimes
        ]

    def _steps_of(self, installation: Installation) -> Steps:
        blocks = [self._steps[name] for name in self._blocks_of(installation)]
        return sum(blocks, start=Steps((), ()))

    def _make_place(self, name: str, system: System, packages: tuple[str, ...]) -> Place:
        if system.debian is None:
            with self._downloads:
                python = self._find_python(system.python)
            return on_this_machine(self._work / name, python)
        assert self._debians is not None, "prepare_debians comes first"
        with self._downloads:
            archives = self._debians.fetch(system.debian, packages)
        return self._debians.make(name, system.debian, system.python, archives)

    def _install(self, system: System, installation: Installation, place: Place) -> None:
        steps = self._steps_of(installation)
        name = "-".join(self._blocks_of(installation))
        with self._downloads:
            wheels = self._wheels.fetch(system, name, steps.pip_arguments(), self._wheel)
            if BUNDLE in installation.steps:
                work = place.root.with_name(f"{place.root.name}-bundle")
                work.mkdir()
                archive = bundle.make(
                    system, self._steps, self._wheels, self._wheel, self._cache, work
                )
                shutil.move(archive, place.home)
                shutil.rmtree(work)
        if system.machine == "armv7l":
            wheels = _plainly_tagged(wheels, place.root.with_name(f"{place.root.name}-wheels"))
        trial.install(place, steps, self._wheel, wheels)

    def _find_python(self, version: str) -> Path:
        uv = self._pip.with_name("uv")
        if not uv.is_file():
            folder = self._wheels.tool("uv")
            offline = ["--no-index", f"--find-links={folder}"]
            run([self._pip, "-m", "pip", "--quiet", "install", *offline, "uv"])
        return pythons.find_or_fetch(uv, version, self._cache)


def _compared(reference: Reference, runtime: str, found: Findings) -> str:
    expected = reference.findings[trial.REFERENCE]
    figures = trial.classify(expected, reference.findings[runtime], found, reference.step)
    versions = [f"{name} {version}" for name, version in found.versions.items()]
    return f"{', '.join(versions)}: {figures}"


def _plainly_tagged(wheels: Path, folder: Path) -> Path:
    """Gives a copy of a folder of 32-bit ARM wheels that pip takes under emulation.

    That a wheel for manylinux fits, pip asks of the file that runs Python, and that is a script
    here. Whether it fits the real system is known from fetching it.
    """
    folder.mkdir()
    for wheel in wheels.glob("*.whl"):
        *rest, tag = wheel.stem.split("-")
        plain = "linux_armv7l" if tag.endswith("_armv7l") else tag
        shutil.copy(wheel, folder / f"{'-'.join([*rest, plain])}.whl")
    return folder
