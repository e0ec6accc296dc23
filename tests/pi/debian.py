"""Packages of any Debian release and architecture, fetched and unpacked beside the system.

apt is given folders, a sources list and an empty list of installed packages of its own, so that
it resolves dependencies for another release and architecture, needs no root and leaves the
machine as it is.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from pi.commands import run
from pi.errors import CannotRun, Failed

DEFAULT_MIRROR = "http://deb.debian.org/debian"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCES = Path("/etc/apt")
_MIRROR = re.compile(r"https?://\S+/debian(?=/?(?:\s|$))")
_SETTINGS = ("etc/apt.conf.d", "etc/preferences.d")  # apt wants the folders, empty
# Everything lives below /usr since Debian 12; older packages still write to the old names.
_MERGED = ("bin", "lib", "lib64", "sbin")
# `dpkg -x` would put folders in the place of these links; tar can keep them.
_UNPACK = """dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink \\
  --no-same-owner --exclude=./usr/share/doc --exclude=./usr/share/man --directory "$2"
"""
_UNPACK_ONE = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --no-same-owner --directory "$2" "$3"'


def mirror_of(sources: Iterable[str]) -> str:
    """The Debian mirror that a machine's sources lists name, or the usual one."""
    for text in sources:
        for line in text.splitlines():
            found = _MIRROR.search(line)
            if found and not line.lstrip().startswith("#"):
                return found.group()
    return DEFAULT_MIRROR


def check() -> None:
    """Checks that apt can be used here.

    Raises:
        CannotRun: It cannot.
    """
    for program in ("apt-get", "apt-config", "dpkg-deb", "tar"):
        if shutil.which(program) is None:
            raise CannotRun(f"{program} is not here: the test needs a Debian system")
    if not _KEYS.is_file():
        raise CannotRun(f"{_KEYS} is not here: apt-get install debian-archive-keyring")


def fetch(release: str, architecture: str, packages: Sequence[str], cache: Path) -> list[Path]:
    """Downloads packages with all that they depend on, once.

    Args:
        release: Debian's name of it, as `bookworm`.
        architecture: Debian's name of it, as `arm64`.
        packages: Their names.
        cache: Folder that keeps what was downloaded.

    Raises:
        CannotRun: The mirror cannot be reached.
        Failed: There are no such packages.
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
            raise CannotRun(f"apt cannot fetch its package lists: {failure}") from None
        # An empty archive, because what is there already would not be listed.
        install = ["apt-get", "-qq", "--yes", "install", *packages]
        nothing = f"Dir::Cache::archives={folder / 'nothing'}"
        listing = run([*install, "--print-uris", "-o", nothing], environment)
        run([*install, "--download-only"], environment)
        done.write_text("\n".join(names_listed(listing)) + "\n")
    return [archives / name for name in done.read_text().split()]


def names_listed(uris: str) -> list[str]:
    """The file names in what `apt-get --print-uris` prints: lines of 'URI' name size hash."""
    return [line.split()[1] for line in uris.splitlines() if line.startswith("'")]


def unpack(archives: Sequence[Path], root: Path) -> None:
    """Unpacks packages into a folder, as far as it goes without running their scripts."""
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for archive in archives:
        run(["sh", "-c", _UNPACK, "sh", archive, root])
    # What the packages' scripts do by `update-alternatives`: one library of linear algebra.
    for library in ("blas", "lapack"):
        for path in root.glob(f"usr/lib/*/{library}/lib{library}.so.3"):
            (path.parent.parent / path.name).symlink_to(f"{library}/{path.name}")


def unpack_one(archive: Path, member: str, root: Path) -> Path:
    """Unpacks a single file of a package, named from the root, into a folder; gives its path."""
    root.mkdir(parents=True, exist_ok=True)
    run(["sh", "-ec", _UNPACK_ONE, "sh", archive, root, f"./{member}"])
    return root / member


def _configure(folder: Path, release: str, architecture: str) -> Path:
    """Writes apt's settings for a release and architecture; gives their file."""
    for name in ("lists/partial", "archives/partial", "nothing/partial", *_SETTINGS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    files = [_SOURCES / "sources.list", *sorted((_SOURCES / "sources.list.d").glob("*"))]
    mirror = mirror_of(path.read_text(errors="replace") for path in files if path.is_file())
    (folder / "sources.list").write_text(f"deb [signed-by={_KEYS}] {mirror} {release} main\n")
    # How the machine reaches the network stays as it is set.
    network = [
        line
        for line in run(["apt-config", "dump"]).splitlines()
        if line.startswith(("Acquire::http", "Acquire::https"))
    ]
    settings = {
        "APT::Architecture": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",  # downloads as the user who runs the test
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
