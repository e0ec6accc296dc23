"""Where commands of a system run: this machine, with a Python of its own or another system's.

The shell is this machine's; Python alone is the other system's, so that neither root rights nor a
kernel that knows foreign programs are needed. `python3` is a small script that starts it, under an
emulator where the processor is another, and since a virtual environment links to the script that
made it, its Python and its commands, which name that Python in their first lines, come to run so
too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pi import debian
from pi.commands import run
from pi.errors import CannotRun, Failed
from pi.systems import Debian

# Debian 12's QEMU shows programs this machine's /proc/cpuinfo, with which LiteRT and ONNX Runtime
# crash; newer ones show that of the emulated processor.
_EMULATORS_RELEASE = "trixie"
# What every Raspberry Pi OS has: Python, and C++'s library, which most wheels want.
_BASE = ("python3", "libstdc++6")
_START = """\
#!/bin/sh
exec {start_as} "$0" '{root}/usr/bin/python{version}' "$@"
"""
# The system's own loader takes the system's own libraries.
_LOADER, _LIBRARIES = "lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    # pip must make do with wheels that were fetched, and leaves compiling to the first import:
    # most of what it unpacks is never imported, and compiling is slow under an emulator.
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_COMPILE": "1",
    "PIP_NO_INDEX": "1",
    "PIP_ONLY_BINARY": ":all:",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A home folder with a `python3` of a system.

    Attributes:
        home: The folder.
        root: What is removed in the end: the folder itself, or the root folder that it is in.
    """

    home: Path
    root: Path

    def run(self, script: str, wheels: Path | None = None) -> str:
        """Runs lines of shell; gives their standard output.

        Args:
            script: The lines; the first that fails ends them.
            wheels: Folder from which pip installs.

        Raises:
            Failed: A line failed.
        """
        settings = {
            **_ENVIRONMENT,
            "HOME": self.home,
            "PATH": f"{self.home}/bin:/usr/bin:/bin",
            # What an emulated Python reads from /usr is its root folder's, but what it writes there
            # would be this machine's; one that is not emulated writes into its root folder.
            "PYTHONPYCACHEPREFIX": self.home / "bytecode",
        }
        if wheels is not None:
            settings["PIP_FIND_LINKS"] = wheels
        words = [f"{name}={value}" for name, value in settings.items()]
        return run(["env", "-i", *words, "/bin/sh", "-ec", script], folder=self.home)

    def remove(self) -> None:
        """Gives the disk's space back."""
        shutil.rmtree(self.root, ignore_errors=True)


def on_this_machine(home: Path, python: Path) -> Place:
    """A folder where `python3` is a Python of this machine."""
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python3").symlink_to(python)
    return Place(home, home)


class Debians:
    """Makes places whose Python is that of a Debian release.

    Args:
        cache: Folder that keeps what is downloaded.
        work: Folder for the systems.

    Raises:
        CannotRun: apt cannot be used here.
    """

    def __init__(self, cache: Path, work: Path) -> None:
        debian.check()
        self._cache = cache
        self._work = work

    def prepare_emulators(self, systems: Iterable[Debian]) -> None:
        """Fetches what emulates the processors of some systems.

        Raises:
            CannotRun: It cannot be had or does not work here.
        """
        wanted = {system.emulation.program for system in systems if system.emulation}
        if not wanted:
            return
        archives = debian.fetch(_EMULATORS_RELEASE, "amd64", ["qemu-user"], self._cache)
        (archive,) = [path for path in archives if path.name.startswith("qemu-user_")]
        self._programs = self._cache / "emulators" / archive.stem / "usr" / "bin"
        for name in sorted(wanted):
            if not (self._programs / name).is_file():  # unpacked once for all runs
                new = debian.unpack_one(archive, f"usr/bin/{name}", self._work)
                self._programs.mkdir(parents=True, exist_ok=True)
                shutil.move(new, self._programs / name)
            try:
                run([self._programs / name, "--version"])
            except (Failed, OSError) as failure:
                raise CannotRun(f"the emulator does not start here: {failure}") from None

    def fetch(self, system: Debian, packages: tuple[str, ...]) -> list[Path]:
        """Downloads a system with some packages."""
        return fetch_system(system, packages, self._cache)

    def make(self, name: str, system: Debian, python: str, archives: list[Path]) -> Place:
        """Unpacks a system's packages into a root folder of its own, with a home in it."""
        root = self._work / name
        if system.emulation is None:
            start_as = loaded(root)
        else:
            emulator = self._programs / system.emulation.program
            start_as = emulated([emulator], system.emulation.processor, root)
        return make_place(root, python, archives, start_as)


def fetch_system(system: Debian, packages: Sequence[str], cache: Path) -> list[Path]:
    """Downloads a system with some packages."""
    wanted = sorted({*_BASE, *packages})
    return debian.fetch(system.release, system.architecture, wanted, cache)


def loaded(root: Path) -> list[str | Path]:
    """The words that start a program of a root folder on this machine's processor, by a name."""
    return [root / _LOADER, "--library-path", root / _LIBRARIES, "--argv0"]


def emulated(emulator: Sequence[str | Path], processor: str, root: Path) -> list[str | Path]:
    """The words that start a program of a root folder under an emulator, by a name."""
    return [*emulator, "-cpu", processor, "-L", root, "-0"]


def make_place(
    root: Path, python: str, archives: list[Path], start_as: Sequence[str | Path]
) -> Place:
    """Unpacks a system into a root folder, with a home in it whose `python3` is the system's.

    Args:
        root: The folder, which comes to be.
        python: The system's version of Python.
        archives: Its packages.
        start_as: The command that starts its programs, as words of a shell; a name to give
            the program and its path follow.
    """
    debian.unpack(archives, root)
    # What is not in the root folder the emulator looks for outside: no packages, please.
    (root / f"usr/local/lib/python{python}/dist-packages").mkdir(parents=True)
    # Nor does it look for attributes of files in the root folder, as copying pip's wheel does.
    for settings in root.glob(f"usr/lib/python{python}/_sysconfigdata_*.py"):
        text = settings.read_text()
        settings.write_text(
            text.replace("'/usr/share/python-wheels", f"'{root}/usr/share/python-wheels")
        )
    start = root / "home" / "pi" / "bin" / "python3"
    start.parent.mkdir(parents=True)
    command = " ".join(f'"{word}"' for word in start_as)
    start.write_text(_START.format(start_as=command, root=root, version=python))
    start.chmod(0o755)
    return Place(root / "home" / "pi", root)


def default_cache() -> Path:
    """Where downloads are kept unless told otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "image-gender-classifier" / "pi"
