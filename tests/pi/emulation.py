"""Home folders whose `python3` is that of another Debian system, under QEMU's user-mode emulation.

The shell is this machine's; only Python is the other system's, so neither root rights nor
binfmt_misc are needed. `python3` is a script that starts it. A virtual environment links to this
script, so its Python and commands run under the emulator too.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle import debian
from bundle.processes import CannotRun, Failed, run
from bundle.systems import System

# Programs under Debian 12's QEMU see this machine's /proc/cpuinfo, which crashes LiteRT and ONNX
# Runtime. Newer versions show that of the emulated processor.
_EMULATORS_RELEASE = "trixie"
PROGRAMS = {"arm64": "qemu-aarch64", "armhf": "qemu-arm", "amd64": "qemu-x86_64"}
_BASE = ("python3", "libstdc++6")  # what every Raspberry Pi OS has and most wheels need
_START = """\
#!/bin/sh
exec {start_as} "$0" '{root}/usr/bin/python{version}' "$@"
"""
_PYTHON = """\
#!/bin/sh
export PYTHONPATH="{packages}"
exec "{python}" "$@"
"""
_COMMAND = """\
#!/bin/sh
exec "{home}/igc/bin/python" -m image_gender_classifier "$@"
"""
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    # pip uses downloaded wheels only. It does not compile: that is slow under an emulator, and most
    # modules are never imported.
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_COMPILE": "0",
    "PIP_NO_INDEX": "1",
    "PIP_ONLY_BINARY": ":all:",
}


@dataclass(frozen=True, slots=True)
class Home:
    """A home folder with a `python3`.

    Attributes:
        path: The folder.
        root: The folder to remove afterwards: the home itself, or the system around it.
    """

    path: Path
    root: Path

    def run(self, script: str, wheels: Path | None = None) -> str:
        """Runs a shell script and returns its standard output.

        Args:
            script: The script; it stops at the first line that fails.
            wheels: Folder from which pip installs.

        Raises:
            Failed: A line failed.
        """
        settings = {
            **_ENVIRONMENT,
            "HOME": self.path,
            "PATH": f"{self.path}/bin:/usr/bin:/bin",
            # An emulated Python reads /usr of its root folder, but would write to this machine's.
            "PYTHONPYCACHEPREFIX": self.path / "bytecode",
        }
        if wheels is not None:
            settings["PIP_FIND_LINKS"] = wheels
        words = [f"{name}={value}" for name, value in settings.items()]
        return run(["env", "-i", *words, "/bin/sh", "-ec", script], folder=self.path)

    def unpack(self, wheels: Iterable[Path]) -> None:
        """Installs wheels into ~/igc by unpacking them, which is fast under any emulator."""
        packages, programs = self.path / "packages", self.path / "igc" / "bin"
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(packages)
        programs.mkdir(parents=True)
        python = _PYTHON.format(packages=packages, python=self.path / "bin" / "python3")
        write_script(programs / "python", python)
        write_script(programs / "image-gender-classifier", _COMMAND.format(home=self.path))

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.root, ignore_errors=True)


def write_script(path: Path, text: str) -> None:
    """Writes an executable file."""
    path.write_text(text)
    path.chmod(0o755)


def native_home(path: Path, python: Path) -> Home:
    """Makes a home folder whose `python3` is a Python of this machine."""
    (path / "bin").mkdir(parents=True)
    write_script(path / "bin" / "python3", f'#!/bin/sh\nexec "{python}" "$@"\n')
    return Home(path, path)


def fetch_emulators(architectures: Iterable[str], cache: Path) -> Path:
    """Downloads the emulators of some architectures; returns their folder.

    Raises:
        CannotRun: apt is not available, or an emulator does not start.
    """
    debian.check()
    archives = debian.fetch(_EMULATORS_RELEASE, "amd64", ["qemu-user"], cache)
    (archive,) = (path for path in archives if path.name.startswith("qemu-user_"))
    folder = cache / "emulators" / archive.stem
    for program in sorted({PROGRAMS[architecture] for architecture in architectures}):
        member = f"usr/bin/{program}"
        if not (folder / member).is_file():
            debian.unpack_one(archive, member, folder)
        try:
            run([folder / member, "--version"])
        except (Failed, OSError) as failure:
            raise CannotRun(f"the emulator does not start: {failure}") from None
    return folder / "usr" / "bin"


def fetch_system(system: System, packages: Sequence[str], cache: Path) -> list[Path]:
    """Downloads Python, further packages and their dependencies."""
    names = sorted({*_BASE, *packages})
    return debian.fetch(system.release, system.architecture, names, cache)


def make_home(
    root: Path, system: System, archives: list[Path], emulator: Sequence[str | Path], processor: str
) -> Home:
    """Unpacks a system's packages into a root folder, with a home folder in it.

    Args:
        root: The root folder; it must not exist.
        system: The system.
        archives: Its packages.
        emulator: The command of the emulator.
        processor: QEMU's name of the processor.
    """
    debian.unpack(archives, root)
    python = system.python
    # The emulator looks outside the root folder for what is missing in it: for this machine's
    # packages, and for pip's wheel.
    (root / f"usr/local/lib/python{python}/dist-packages").mkdir(parents=True)
    for settings in root.glob(f"usr/lib/python{python}/_sysconfigdata_*.py"):
        text = settings.read_text()
        settings.write_text(
            text.replace("'/usr/share/python-wheels", f"'{root}/usr/share/python-wheels")
        )
    home = root / "home" / "pi"
    (home / "bin").mkdir(parents=True)
    words = " ".join(f'"{word}"' for word in (*emulator, "-cpu", processor, "-L", root, "-0"))
    start = _START.format(start_as=words, root=root, version=python)
    write_script(home / "bin" / "python3", start)
    return Home(home, root)
