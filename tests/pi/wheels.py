"""Wheels for another system, by pip's platform options: no compiler is ever needed."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from pi.commands import run
from pi.systems import System

_OLDEST = 17  # manylinux2014; nothing older has wheels for these Pythons
_PACKAGED = (
    "infer", "train", "convert", "models", "pyproject.toml", "README.md", "LICENSE", "NOTICE",
)  # fmt: skip


def platforms(machine: str, glibc: int) -> list[str]:
    """The platform tags of wheels that a system takes, best first.

    Args:
        machine: Python's name of the processor's kind.
        glibc: Minor version of the C library.
    """
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, _OLDEST - 1, -1)]
    return [*tags, f"manylinux2014_{machine}"]


def pip_options(system: System) -> list[str]:
    """The options with which pip chooses wheels for another system than its own."""
    abi = f"cp{system.python.replace('.', '')}"
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={system.python}"]
    options += [f"--abi={name}" for name in (abi, "abi3", "none")]
    return options + [f"--platform={tag}" for tag in platforms(system.machine, system.glibc)]


class Wheels:
    """What pip fetches, in a cache folder.

    Args:
        pip: The command that runs pip.
        cache: The folder.
    """

    def __init__(self, pip: Sequence[str | Path], cache: Path) -> None:
        self._pip = pip
        self._cache = cache / "wheels"

    def build(self, checkout: Path, work: Path) -> Path:
        """Builds the project's wheel from a copy of its sources, which stay untouched."""
        sources = work / "sources"
        for name in _PACKAGED:
            path = checkout / name
            if path.is_dir():
                shutil.copytree(path, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, sources)
        tools = self._fetch("build", [["setuptools>=77"]], ["--only-binary=:all:"])
        offline = ["--no-index", f"--find-links={tools}"]
        run([*self._pip, "wheel", "--no-deps", *offline, "-w", work / "dist", sources])
        (wheel,) = (work / "dist").glob("*.whl")
        return wheel

    def tool(self, requirement: str) -> Path:
        """Fetches a tool of PyPI for this machine; gives the folder of its wheels."""
        return self._fetch(requirement, [[requirement]], ["--only-binary=:all:"])

    def fetch(self, system: System, name: str, lines: Sequence[Sequence[str]], wheel: Path) -> Path:
        """Fetches what a system's `pip install` lines want; gives the folder of the wheels.

        Args:
            system: The system.
            name: What the lines install.
            lines: What follows `pip install`, a list a line.
            wheel: The project's wheel, which stands for its pattern in the lines.

        Raises:
            Failed: Something has no wheel for the system.
        """
        folder = f"{system.name}-{name}".replace(" ", "-")
        return self._fetch(folder, lines, pip_options(system), wheel)

    def _fetch(
        self,
        name: str,
        lines: Sequence[Sequence[str]],
        options: Sequence[str],
        wheel: Path | None = None,
    ) -> Path:
        """Downloads once for the same wishes, then resolves again, offline, each time."""
        folder = self._cache / name
        stamp = folder / "complete.txt"
        wishes = [*(word for line in lines for word in line), *options]
        if wheel is not None:
            wishes.append(requirements_of(wheel))
            lines = [[str(wheel) if _is_wheel(word) else word for word in line] for line in lines]
        key = hashlib.sha256("\n".join(wishes).encode()).hexdigest()
        if not stamp.is_file() or stamp.read_text() != key:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for line in lines:
                run([*self._pip, "download", "-d", folder, *options, *line])
            stamp.write_text(key)
        offline = ["--no-index", f"--find-links={folder}"]
        for line in lines:
            run([*self._pip, "download", "-d", folder, *offline, *options, *line])
        return folder


def _is_wheel(word: str) -> bool:
    return word.endswith(".whl")


def requirements_of(wheel: Path) -> str:
    """What a wheel says that it requires, one line each."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("Requires-Dist:"))
