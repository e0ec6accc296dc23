"""Finding the mirror, and reading what apt prints."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from pi.debian import DEFAULT_MIRROR, mirror_of, names_listed, unpack_one

DEB822 = """\
Types: deb
# http://snapshot.example.org/debian
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main
"""


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([DEB822], "http://mirror.example.org/debian"),
        (["deb http://a.example.org/debian/ trixie main\n"], "http://a.example.org/debian"),
        (["deb [trusted=yes] https://b.example.org/pub/debian trixie main"],
         "https://b.example.org/pub/debian"),
        (["deb http://c.example.org/debian-security trixie-security main"], DEFAULT_MIRROR),
        (["deb http://c.example.org/ubuntu noble main", DEB822],
         "http://mirror.example.org/debian"),
        ([], DEFAULT_MIRROR),
    ],
)  # fmt: skip
def test_the_machines_mirror_is_used(sources: list[str], expected: str) -> None:
    assert mirror_of(sources) == expected


def test_names_of_archives_are_read_from_apts_list() -> None:
    listing = (
        "Reading package lists...\n"
        "'http://mirror.example.org/debian/pool/d/dash_0.5_arm64.deb' dash_0.5_arm64.deb 88 SHA:1\n"
        "'http://mirror.example.org/debian/pool/g/gmp_6_arm64.deb' gmp_2%3a6_arm64.deb 53 SHA:2\n"
    )
    assert names_listed(listing) == ["dash_0.5_arm64.deb", "gmp_2%3a6_arm64.deb"]


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not here")
def test_one_file_of_a_package_is_unpacked(tmp_path: Path) -> None:
    package = tmp_path / "package"
    for name in ("qemu-arm", "qemu-mips"):
        program = package / "usr" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(name)
    (package / "DEBIAN").mkdir()
    control = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\n"
    (package / "DEBIAN" / "control").write_text(f"{control}Description: a\n")
    archive = tmp_path / "a.deb"
    subprocess.run(["dpkg-deb", "--build", package, archive], check=True, capture_output=True)
    root = tmp_path / "root"
    assert unpack_one(archive, "usr/bin/qemu-arm", root).read_text() == "qemu-arm"
    assert [path.name for path in root.rglob("qemu-*")] == ["qemu-arm"]
