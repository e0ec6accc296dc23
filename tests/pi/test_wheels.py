"""What pip is told of another system."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pi.systems import SYSTEMS
from pi.wheels import pip_options, platforms, requirements_of


def test_platforms_go_from_the_systems_c_library_down() -> None:
    assert platforms("armv7l", 19) == [
        "manylinux_2_19_armv7l",
        "manylinux_2_18_armv7l",
        "manylinux_2_17_armv7l",
        "manylinux2014_armv7l",
    ]


def test_pip_is_told_to_take_wheels_of_the_system_only() -> None:
    options = pip_options(next(one for one in SYSTEMS if one.name == "trixie-arm64"))
    assert {"--only-binary=:all:", "--python-version=3.13", "--abi=cp313"} < set(options)
    assert options[-1] == "--platform=manylinux2014_aarch64"


def test_requirements_are_read_from_a_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a/METADATA", "Requires-Dist: not this")
        archive.writestr(
            "a-1.dist-info/METADATA",
            "Name: a\nRequires-Dist: numpy<3\nRequires-Dist: tqdm; extra == 'x'\n",
        )
    assert requirements_of(wheel) == "Requires-Dist: numpy<3\nRequires-Dist: tqdm; extra == 'x'"
