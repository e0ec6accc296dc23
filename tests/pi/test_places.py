"""How programs of other systems are started."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pi.places import emulated, loaded
from pi.steps import read_steps
from pi.systems import SYSTEMS

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "raspberry-pi.md"


def test_a_system_of_this_processor_is_started_by_its_own_loader(tmp_path: Path) -> None:
    loader = tmp_path / "lib64" / "ld-linux-x86-64.so.2"
    loader.parent.mkdir()
    loader.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    loader.chmod(0o755)
    words = [*loaded(tmp_path), "name", "program", "argument"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    libraries = f"{tmp_path}/usr/lib/x86_64-linux-gnu"
    expected = ["--library-path", libraries, "--argv0", "name", "program", "argument"]
    assert done.stdout.splitlines() == expected


def test_an_emulator_is_told_processor_root_and_name() -> None:
    words = emulated(["/bin/qemu", "-plugin", "p"], "cortex-a7", Path("/root-folder"))
    assert [str(word) for word in words] == [
        *("/bin/qemu", "-plugin", "p", "-cpu", "cortex-a7", "-L", "/root-folder", "-0")
    ]


def test_every_installation_has_its_steps_in_the_documentation() -> None:
    steps = read_steps(DOCUMENT.read_text("utf-8"))
    for system in SYSTEMS:
        for installation in system.installations:
            assert set(installation.steps) <= set(steps), system.name


def test_names_of_systems_are_different() -> None:
    names = [system.name for system in SYSTEMS]
    assert len(set(names)) == len(names)
