"""Downloads and unpacks packages of any Debian release and architecture, without root.

apt gets its own folders, sources list and an empty list of installed packages, so it resolves
dependencies for another release and architecture and does not change this machine.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from bundle.processes import CannotRun, Failed, run

DEFAULT_MIRROR = "http://deb.debian.org/debian"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCES = Path("/etc/apt")
_MIRROR = re.compile(r"https?://\S+/debian(?=/?(?:\s|$))")
_SETTINGS = ("etc/apt.conf.d", "etc/preferences.d")  # apt needs these folders, empty
# Links to folders below /usr since Debian 12; some packages still use the old names.
_MERGED = ("bin", "lib", "lib64", "sbin")
# `dpkg -x` would replace these links by folders; tar can keep them.
_UNPACK = """dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink \\
  --no-same-owner --exclude=./usr/share/doc --exclude=./usr/share/man --directory "$2"
"""
_UNPACK_ONE = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --no-same-owner --directory "$2" "$3"'


def mirror_of(sources: Iterable[str]) -> str:
    """Returns the first Debian mirror in the text of sources lists, or the default one."""
    for text in sources:
        for line in text.splitlines():
            found = _MIRROR.search(line)
            if found and not line.lstrip().startswith("#"):
                return found.group()
    return DEFAULT_MIRROR


def check() -> None:
    """Checks that apt is available.

    Raises:
        CannotRun: It is not.
    """
    for program in ("apt-get", "apt-config", "dpkg-deb", "tar"):
        if shutil.which(program) is None:
            raise CannotRun(f"{program} is missing; this needs a Debian system")
    if not _KEYS.is_file():
        raise CannotRun(f"{_KEYS} is missing; apt-get install debian-archive-keyring")


def fetch(release: str, architecture: str, packages: Sequence[str], cache: Path) -> list[Path]:
    """Downloads packages with all their dependencies, unless the cache has them.

    Args:
        release: Debian's name of the release, such as `bookworm`.
        architecture: Debian's name of the architecture, such as `arm64`.
        packages: Names of packages.
        cache: Folder that keeps downloads.

    Raises:
        CannotRun: The mirror cannot be reached.
        Failed: A package does not exist.
    """
    folder = cache / "debian" / f"{release}-{architecture}"
    archives = folder / "archives"
    wanted = " ".join(sorted(packages))
    done = folder / f"{hashlib.sha256(wanted.encode()).hexdigest()[:12]}.txt"
    if not done.is_file():
        environment = {"APT_CONFIG": str(_configure(folder, release, architecture))}
        try:
            run(["apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"], environment)
        except Failed as failure:
            raise CannotRun(f"apt cannot download its package lists: {failure}") from None
        # With an empty archive folder: apt does not list packages that it already has.
        install = ["apt-get", "-qq", "--yes", "install", *packages]
        nothing = f"Dir::Cache::archives={folder / 'nothing'}"
        listing = run([*install, "--print-uris", "-o", nothing], environment)
        run([*install, "--download-only"], environment)
        done.write_text("\n".join(names_listed(listing)) + "\n")
    return [archives / name for name in done.read_text().split()]


def names_listed(uris: str) -> list[str]:
    """Returns the file names in the output of `apt-get --print-uris`."""
    return [line.split()[1] for line in uris.splitlines() if line.startswith("'")]


def unpack(archives: Sequence[Path], root: Path) -> None:
    """Unpacks packages into a folder without running their scripts."""
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for archive in archives:
        run(["sh", "-c", _UNPACK, "sh", archive, root])
    # The packages' scripts would select a linear algebra library with `update-alternatives`.
    for library in ("blas", "lapack"):
        for path in root.glob(f"usr/lib/*/{library}/lib{library}.so.3"):
            (path.parent.parent / path.name).symlink_to(f"{library}/{path.name}")


def unpack_one(archive: Path, member: str, root: Path) -> Path:
    """Unpacks one file of a package, a path relative to the root; returns its new path."""
    root.mkdir(parents=True, exist_ok=True)
    run(["sh", "-ec", _UNPACK_ONE, "sh", archive, root, f"./{member}"])
    return root / member


def _configure(folder: Path, release: str, architecture: str) -> Path:
    """Writes apt's settings for a release and architecture; returns the file."""
    for name in ("lists/partial", "archives/partial", "nothing/partial", *_SETTINGS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    files = [_SOURCES / "sources.list", *sorted((_SOURCES / "sources.list.d").glob("*"))]
    mirror = mirror_of(path.read_text(errors="replace") for path in files if path.is_file())
    (folder / "sources.list").write_text(f"deb [signed-by={_KEYS}] {mirror} {release} main\n")
    # Keep this machine's proxy settings.
    network = [
        line
        for line in run(["apt-config", "dump"]).splitlines()
        if line.startswith(("Acquire::http", "Acquire::https"))
    ]
    settings = {
        "APT::Architecture": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",  # download as the current user
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "true",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        "Dir::Etc": folder / "etc",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
    }
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    path = folder / "apt.conf"
    path.write_text("\n".join([*network, *lines, f'APT::Architectures {{ "{architecture}"; }};']))
    return path
