"""Puts a bundle together: wheels, Debian packages, service files and `install.sh`."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from bundle import debian
from bundle.install_script import install_script
from bundle.processes import run
from bundle.systems import System
from bundle.wheels import Wheels

_DEPLOY = Path(__file__).resolve().parents[1]
_EXECUTABLE = 0o755


def make(system: System, wheels: Wheels, wheel: Path, cache: Path, work: Path) -> Path:
    """Makes a bundle.

    Args:
        system: The system to install on.
        wheels: Downloads wheels.
        wheel: The project's wheel.
        cache: Folder that keeps downloads.
        work: Existing folder for the archive and temporary files.

    Returns:
        The archive.

    Raises:
        CannotRun: This machine cannot download Debian packages.
        Failed: A wheel or package is not available.
    """
    lines = [[str(wheel)]]
    if system.requirements is not None:
        lines = [["--no-deps", *system.requirements], ["--no-deps", str(wheel)]]
    name = f"{'-'.join(wheel.name.split('-')[:2]).replace('_', '-')}-{system.name}"
    folder = work / name
    (folder / "wheels").mkdir(parents=True)
    for path in wheels.fetch(system, "bundle", lines, wheel):
        shutil.copy(path, folder / "wheels")
    shutil.copy(wheels.pip(), folder)
    shutil.copytree(_DEPLOY, folder / "deploy", ignore=shutil.ignore_patterns("bundle"))
    if system.packages:
        debian.check()
        names = ("python3", *system.packages)
        archives = debian.fetch(system.release, system.architecture, names, cache)
        write_repository(archives, folder / "packages")
    script = folder / "install.sh"
    script.write_text(install_script(system))
    script.chmod(_EXECUTABLE)
    archive = work / f"{name}.tar"
    with tarfile.open(archive, "w") as file:  # its files are already compressed
        file.add(folder, name, filter=_without_owner)
    return archive


def write_repository(archives: Iterable[Path], folder: Path) -> None:
    """Makes a package source for apt, which installs from it only what a board lacks."""
    folder.mkdir()
    entries = []
    for archive in archives:
        name = archive.name.replace("%3a", "-")  # apt would decode it to a colon
        shutil.copy(archive, folder / name)
        control = run(["dpkg-deb", "--field", archive]).strip()
        data = archive.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entries.append(f"{control}\nFilename: ./{name}\nSize: {len(data)}\nSHA256: {digest}\n")
    (folder / "Packages").write_text("\n".join(entries))


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
