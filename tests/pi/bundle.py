"""`make pi-bundle`: one archive with all that a board without internet needs.

In it are the wheels for a named system, Debian's packages where the wheels do not do, the service
files, and a script that installs them. Ends with 0 when it is written, 1 where something cannot be
had, 2 for wrong usage, 77 where this machine cannot fetch a system's packages.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pi import debian
from pi.commands import run
from pi.errors import CannotRun, Failed
from pi.places import default_cache, fetch_system
from pi.steps import Steps, read_steps
from pi.systems import OLD_PC, SYSTEMS, System
from pi.wheels import Wheels

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_DOCUMENT = _CHECKOUT / "docs" / "raspberry-pi.md"
_DEPLOY = _CHECKOUT / "docs" / "deploy"
_SKIPPED = 77
_ALL_USERS_MAY_RUN = 0o755

_INSTALL = """\
#!/bin/sh
# Installs image-gender-classifier from the files beside this one: sh install.sh [FOLDER]
# FOLDER (~/igc by default) is where it goes; the command is FOLDER/bin/image-gender-classifier.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case "${1:-}" in -*) echo "usage: sh install.sh [FOLDER] (default: ~/igc)" >&2; exit 2 ;; esac
folder=${1:-"$HOME/igc"}
if [ -e "$folder" ] && [ ! -d "$folder" ]; then
  echo "$folder: is not a folder; give the one to install into" >&2
  exit 2
fi
"""
# Nothing may be half installed before pip finds that its wheels are for something else. A 32-bit
# system may have a 64-bit kernel, hence the width.
_CHECK = """\
has=$(python3 -c 'import platform, struct, sys
print("%d.%d" % sys.version_info[:2], platform.machine()[0], 8 * struct.calcsize("P"))')
if [ "$has" != "{wanted}" ]; then
  echo "this bundle is for {system}, which this machine does not have: give another SYSTEM" >&2
  echo "to make pi-bundle (wanted: {wanted}; here: $has)" >&2
  exit 2
fi
"""
# The lists are apt's for this moment only, so that nothing of the board's own is changed.
_INSTALL_PACKAGES = """\
lists=$(mktemp -d)
mkdir "$lists/partial"
echo "deb [trusted=yes] file:$here/packages ./" > "$lists/bundle.list"
from_bundle() {{
  sudo apt-get -o Dir::Etc::SourceList="$lists/bundle.list" -o Dir::Etc::SourceParts=/dev/null \\
    -o Dir::State::Lists="$lists" -o APT::Sandbox::User=root "$@"
}}
from_bundle -qq update
from_bundle -qq --yes --no-install-recommends install {packages}
sudo rm -r "$lists"
"""
# pip runs from its own wheel: python3-venv, which would bring it, may not be there.
_INSTALL_WHEELS = """\
python3 -m venv --without-pip {options}"$folder"
set -- "$here"/pip-*.whl
"$folder/bin/python" "$1/pip" --disable-pip-version-check install --quiet \\
  --no-index --no-deps "$here"/wheels/*.whl
"$folder/bin/python" -c 'import image_gender_classifier; image_gender_classifier.load()' || {{
  echo "what is installed does not work here: copy the bundle again, and remove $folder" >&2
  exit 1
}}
echo "installed: $folder/bin/image-gender-classifier -i PICTURES -o EXISTING_FOLDER"
"""


def main() -> int:
    """Writes a bundle; gives the exit code."""
    options = _parse()
    system = next(one for one in SYSTEMS if one.name == options.system)
    options.cache.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pi-bundle-", dir=options.out) as folder:
        work = Path(folder).resolve()
        try:
            run([sys.executable, "-m", "venv", work / "pip"])
            pip = [work / "pip" / "bin" / "python", "-m", "pip", "--quiet"]
            wheels = Wheels(pip, options.cache.resolve())
            wheel = wheels.build(_CHECKOUT, work)
            blocks = read_steps(_DOCUMENT.read_text("utf-8"))
            archive = make(system, blocks, wheels, wheel, options.cache.resolve(), work)
            written = shutil.move(archive, options.out / archive.name)
        except CannotRun as reason:
            print(f"pi-bundle: cannot be made here: {reason}", file=sys.stderr)
            return _SKIPPED
        except (Failed, OSError) as failure:
            print(f"pi-bundle: {failure}", file=sys.stderr)
            return 1
    print(f"{written}: {written.stat().st_size / 1e6:.0f} MB for {system.name}")
    return 0


def make(
    system: System,
    blocks: Mapping[str, Steps],
    wheels: Wheels,
    wheel: Path,
    cache: Path,
    work: Path,
) -> Path:
    """Puts a bundle together; gives its archive, a file of the work folder.

    It gives what the first block of the system's first installation gives on a board with internet.

    Args:
        system: For which system.
        blocks: The install steps of the documentation.
        wheels: Where wheels come from.
        wheel: The project's own.
        cache: Folder that keeps what is downloaded.
        work: Existing folder for everything else.

    Raises:
        CannotRun: This machine cannot fetch the system's packages.
        Failed: A wheel or package cannot be had.
    """
    steps = blocks[system.installations[0].steps[0]]
    name = f"{'-'.join(wheel.name.split('-')[:2]).replace('_', '-')}-{system.name}"
    folder = work / name
    fetched = wheels.fetch(system, "bundled", steps.pip_arguments(), wheel)
    (folder / "wheels").mkdir(parents=True)
    own = f"{wheel.name.split('-')[0]}-*"  # the folder may have one of an older version
    for one in (*(one for one in fetched.glob("*.whl") if not one.match(own)), wheel):
        shutil.copy(one, folder / "wheels")
    for one in wheels.tool("pip").glob("pip-*.whl"):
        shutil.copy(one, folder)
    shutil.copytree(_DEPLOY, folder / "deploy")
    packages = [one for one in steps.packages if one != "python3-venv"]
    if packages:
        assert system.debian is not None, "only Debian has packages of its own"
        debian.check()
        archives = fetch_system(system.debian, packages, cache)
        write_repository(archives, folder / "packages")
    script = folder / "install.sh"
    script.write_text(install_script(system, packages))
    script.chmod(_ALL_USERS_MAY_RUN)
    archive = work / f"{name}.tar"
    with tarfile.open(archive, "w") as file:  # what is in it is compressed already
        file.add(folder, name, filter=_of_nobody)
    return archive


def install_script(system: System, packages: Sequence[str]) -> str:
    """The script that installs a bundle.

    Args:
        system: The system that it is for.
        packages: Debian's packages that it needs and brings; with any, wheels come on top of them.
    """
    width = 32 if system.machine == "armv7l" else 64
    wanted = f"{system.python} {system.machine[0]} {width}"
    check = _CHECK.format(system=system.name, wanted=wanted)
    first = _INSTALL_PACKAGES.format(packages=" ".join(packages)) if packages else ""
    options = "--system-site-packages " if packages else ""
    return _INSTALL + check + first + _INSTALL_WHEELS.format(options=options)


def write_repository(archives: Iterable[Path], folder: Path) -> None:
    """Makes a folder that apt takes for a source of packages.

    From it apt installs what a board lacks and leaves alone what is there: the packages are all
    that anything in it depends on, from the C library on.
    """
    folder.mkdir()
    entries = []
    for archive in archives:
        name = archive.name.replace("%3a", "-")  # apt would take it for a colon
        shutil.copy(archive, folder / name)
        control = run(["dpkg-deb", "--field", archive]).strip()
        data = archive.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entries.append(f"{control}\nFilename: ./{name}\nSize: {len(data)}\nSHA256: {digest}\n")
    (folder / "Packages").write_text("\n".join(entries))


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _parse() -> argparse.Namespace:
    boards = [one.name for one in SYSTEMS if one.debian and one.debian.emulation != OLD_PC]
    parser = argparse.ArgumentParser(prog="make pi-bundle", allow_abbrev=False)
    add = parser.add_argument
    add(
        "--system", choices=boards, default=boards[0],
        help="the board's system (default: %(default)s)",
    )  # fmt: skip
    add(
        "--out", type=Path, default=Path("dist"), metavar="DIR",
        help="where the archive goes (default: %(default)s)",
    )  # fmt: skip
    add(
        "--cache", type=Path, default=default_cache(), metavar="DIR",
        help="folder that keeps downloads (default: %(default)s)",
    )  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
