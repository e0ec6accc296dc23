"""Installs the package on emulated systems and compares their answers with this machine's."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from bundle import archive
from bundle.systems import System
from bundle.wheels import Wheels
from pi import answers
from pi.answers import Answers
from pi.emulation import PROGRAMS, Home, fetch_emulators, fetch_system, make_home, native_home
from pi.installations import BUNDLE, Installation, this_system
from pi.steps import DOCUMENT, Steps, read_steps


@dataclass(frozen=True, slots=True)
class Reference:
    """This machine's answers by runtime, with the pictures and crops that they are about."""

    pictures: list[Path]
    crops: Path
    answers: Mapping[str, Answers]


class Trial:
    """Tries installations.

    Args:
        cache: Folder that keeps downloads.
        work: Folder for everything else.
        runtimes: The runtimes to try.
        unpack: Whether to unpack wheels instead of running the documented steps under the emulator.

    Raises:
        CannotRun: This machine cannot make virtual environments.
        Failed: The wheel cannot be built.
    """

    def __init__(self, cache: Path, work: Path, runtimes: Iterable[str], unpack: bool) -> None:
        self._cache = cache
        self._work = work
        self._runtimes = tuple(runtimes)
        self._unpack = unpack
        self._steps = read_steps(DOCUMENT.read_text("utf-8"))
        self._wheels = Wheels(cache)
        self._wheel = self._wheels.build(work)
        self._emulators = Path()
        self._downloads = Lock()  # some downloads share a folder of the cache

    def prepare(self, architectures: Iterable[str]) -> None:
        """Downloads the emulators.

        Raises:
            CannotRun: They are not available.
        """
        self._emulators = fetch_emulators(architectures, self._cache)

    def reference(self, pictures: list[Path]) -> Reference:
        """Classifies the pictures on this machine, with LiteRT and the other runtimes."""
        home = native_home(self._work / "reference", Path(sys.executable))
        steps = self._steps["standard"] + self._steps["onnx"]
        home.unpack(self._fetch(this_system(), "standard-onnx", steps))
        crops = answers.give_pictures(home, pictures, None)
        runtimes = dict.fromkeys(("tflite", *self._runtimes))
        return Reference(pictures, crops, {one: answers.ask(home, one) for one in runtimes})

    def compare_runtimes(self, reference: Reference) -> list[str]:
        """Compares this machine's other runtimes with LiteRT; returns lines for the report.

        Raises:
            Failed: They differ.
        """
        litert = reference.answers["tflite"]
        others = (one for name, one in reference.answers.items() if name != "tflite")
        return [answers.compare(litert, other, same_model=False) for other in others]

    def run(self, installation: Installation, reference: Reference) -> list[str]:
        """Tries an installation; returns a line for each runtime.

        Raises:
            CannotRun: Its packages cannot be downloaded.
            Failed: It cannot be installed or differs from this machine.
        """
        home = self._install(installation)
        try:
            answers.give_pictures(home, reference.pictures, reference.crops)
            return [
                answers.compare(reference.answers[runtime], answers.ask(home, runtime))
                for runtime in installation.runtimes
                if runtime in self._runtimes
            ]
        finally:
            home.remove()

    def _install(self, installation: Installation) -> Home:
        system = installation.system
        blocks = [one for one in installation.steps if one != "onnx" or one in self._runtimes]
        steps = sum((self._steps[name] for name in blocks), start=Steps())
        packages = () if self._unpack else steps.packages
        with self._downloads:
            wheels = self._fetch(system, "-".join(blocks), steps)
            archives = fetch_system(system, packages, self._cache)
        emulator = [self._emulators / PROGRAMS[system.architecture]]
        root = self._work / installation.name
        home = make_home(root, system, archives, emulator, installation.processor)
        if self._unpack:
            home.unpack(wheels)
            return home
        folder = self._work / f"{installation.name}-wheels"
        folder.mkdir()
        for wheel in wheels:
            shutil.copy(wheel, folder / _accepted_name(wheel))
        shutil.copy(self._wheel, home.path)
        if BUNDLE in blocks:
            with self._downloads:
                made = archive.make(system, self._wheels, self._wheel, self._cache, folder)
            shutil.move(made, home.path)
        home.run("\n".join(steps.commands), folder)
        return home

    def _fetch(self, system: System, name: str, steps: Steps) -> list[Path]:
        return self._wheels.fetch(system, name, steps.pip_arguments(), self._wheel)


def _accepted_name(wheel: Path) -> str:
    """Returns a file name that an emulated 32-bit pip accepts.

    pip looks for manylinux compatibility in the file of its Python, which is a script here.
    """
    stem, _, tag = wheel.stem.rpartition("-")
    return f"{stem}-linux_armv7l.whl" if tag.endswith("_armv7l") else wheel.name
