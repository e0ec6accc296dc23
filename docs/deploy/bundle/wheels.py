"""Wheels for another system, downloaded with pip's platform options; nothing is compiled."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from bundle.processes import CannotRun, Failed, run
from bundle.systems import System

_CHECKOUT = Path(__file__).resolve().parents[3]
_OLDEST_GLIBC = 17  # manylinux2014; there are no older wheels for these Pythons
_SOURCES = (
    "infer", "train", "convert", "models", "docs/share", "pyproject.toml", "README.md", "LICENSE",
    "NOTICE",
)  # fmt: skip
_NATIVE = ("--only-binary=:all:",)


def pip_options(system: System) -> list[str]:
    """Returns the options with which pip selects wheels for a system."""
    abi = f"cp{system.python.replace('.', '')}"
    tags = [f"manylinux_2_{minor}" for minor in range(system.glibc, _OLDEST_GLIBC - 1, -1)]
    return [
        *("--only-binary=:all:", "--implementation=cp", f"--python-version={system.python}"),
        *(f"--abi={name}" for name in (abi, "abi3", "none")),
        *(f"--platform={tag}_{system.machine}" for tag in (*tags, "manylinux2014")),
    ]


class Wheels:
    """Downloads wheels into a cache folder and builds the project's wheel.

    Args:
        cache: The cache folder.

    Raises:
        CannotRun: This Python cannot make virtual environments.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache / "wheels"
        environment = cache / f"pip-{sys.version_info.major}.{sys.version_info.minor}"
        self._pip = [str(environment / "bin" / "python"), "-m", "pip", "--quiet"]
        try:
            run([*self._pip, "--version"])
        except (Failed, OSError):
            try:
                run([sys.executable, "-m", "venv", "--clear", environment])
            except Failed as failure:
                raise CannotRun(f"no virtual environment for pip: {failure}") from None

    def build(self, work: Path) -> Path:
        """Builds the project's wheel from a copy of its sources in a work folder."""
        sources = work / "sources"
        for name in _SOURCES:
            if (_CHECKOUT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(_CHECKOUT / name, sources / name, ignore=ignored)
            else:
                shutil.copy(_CHECKOUT / name, sources)
        tools = self._fetch("build", [["setuptools>=77"]], _NATIVE)
        offline = ["--no-index", f"--find-links={tools}"]
        run([*self._pip, "wheel", "--no-deps", *offline, "-w", work / "dist", sources])
        (wheel,) = (work / "dist").glob("*.whl")
        return wheel

    def pip(self) -> Path:
        """Downloads pip's own wheel."""
        (wheel,) = self._fetch("pip", [["pip"]], _NATIVE).glob("pip-*.whl")
        return wheel

    def fetch(
        self, system: System, name: str, lines: Sequence[Sequence[str]], wheel: Path
    ) -> list[Path]:
        """Downloads the wheels that `pip install` needs on a system.

        Args:
            system: The system.
            name: A name for this set of wheels in the cache.
            lines: Arguments of each `pip install`; a path that ends in `.whl` means `wheel`.
            wheel: The project's wheel.

        Returns:
            The wheels, with the project's.

        Raises:
            Failed: A requirement has no wheel for the system.
        """
        lines = [[str(wheel) if word.endswith(".whl") else word for word in line] for line in lines]
        key = [requirements_of(wheel), system.name]
        folder = self._fetch(f"{system.name}-{name}", lines, pip_options(system), key)
        own = f"{wheel.name.split('-')[0]}-*"  # the copy in the cache may be an older one
        return [*(path for path in folder.glob("*.whl") if not path.match(own)), wheel]

    def _fetch(
        self,
        name: str,
        lines: Sequence[Sequence[str]],
        options: Sequence[str],
        key: Sequence[str] = (),
    ) -> Path:
        """Downloads into a folder of the cache, unless the same was downloaded before."""
        folder = self._cache / name
        stamp = folder / "complete.txt"
        words = (
            Path(word).name if word.endswith(".whl") else word for one in lines for word in one
        )
        digest = hashlib.sha256("\n".join((*words, *options, *key)).encode()).hexdigest()
        if not stamp.is_file() or stamp.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for line in lines:
                run([*self._pip, "download", "-d", folder, *options, *line])
            stamp.write_text(digest)
        return folder


def requirements_of(wheel: Path) -> str:
    """Returns the `Requires-Dist` lines of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    return "\n".join(line for line in lines if line.startswith("Requires-Dist:"))
