"""The archive for boards without internet: its script, and that apt takes its packages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from pi import bundle
from pi.commands import run
from pi.systems import SYSTEMS

CONTROL = (
    "Package: {name}\nVersion: 1:1.0\nArchitecture: all\nMaintainer: a\nDescription: b\n{more}"
)


def package(folder: Path, name: str, more: str = "") -> Path:
    """Makes a package named as apt names what it downloads."""
    tree = folder / name / "DEBIAN"
    tree.mkdir(parents=True)
    (tree / "control").write_text(CONTROL.format(name=name, more=more))
    archive = folder / f"{name}_1%3a1.0_all.deb"
    run(["dpkg-deb", "--build", "--root-owner-group", tree.parent, archive])
    return archive


@pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "dpkg-deb"))), reason="needs a Debian machine"
)
def test_apt_installs_from_the_repository(tmp_path: Path) -> None:
    packages = [
        package(tmp_path, "wanted", "Depends: needed (>= 1:1.0)\n"),
        package(tmp_path, "needed"),
        package(tmp_path, "other"),
    ]
    bundle.write_repository(packages, tmp_path / "packages")
    state = tmp_path / "state"
    (state / "lists" / "partial").mkdir(parents=True)
    (state / "status").touch()
    source = state / "bundle.list"
    source.write_text(f"deb [trusted=yes] file:{tmp_path}/packages ./\n")
    settings = {
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::Status": state / "status",
        "Dir::Cache": state,
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "true",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    run([*apt, "update"])
    simulated = run([*apt, "install", "--simulate", "wanted"])
    installed = {line.split()[1] for line in simulated.splitlines() if line.startswith("Inst ")}
    assert installed == {"wanted", "needed"}
    uris = run([*apt, "install", "--print-uris", "--yes", "wanted"])
    files = [Path(line.split("'")[1].removeprefix("file:")) for line in uris.splitlines()]
    assert len(files) == 2
    assert all(file.is_file() for file in files)


@pytest.mark.parametrize("packages", [[], ["python3-numpy", "python3-opencv"]])
def test_the_script_is_one_that_a_shell_understands(packages: list[str], tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_text(bundle.install_script(SYSTEMS[0], packages))
    subprocess.run(["sh", "-n", script], check=True)
    assert ("apt-get" in script.read_text()) == bool(packages)
    assert ("--system-site-packages" in script.read_text()) == bool(packages)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("bookworm-arm64", "3.11 a 64"),
        ("bookworm-armhf", "3.11 a 32"),
        ("trixie-amd64", "3.13 x 64"),
    ],
)
def test_the_script_asks_for_its_system(name: str, wanted: str) -> None:
    system = next(one for one in SYSTEMS if one.name == name)
    assert f'"$has" != "{wanted}"' in bundle.install_script(system, [])


def test_the_script_installs_what_lies_beside_it(tmp_path: Path) -> None:
    """With a stand-in for Python that writes down what it is asked for."""
    folder = tmp_path / "a bundle"
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels" / "a-1-py3-none-any.whl").touch()
    (folder / "pip-1-py3-none-any.whl").touch()
    (folder / "install.sh").write_text(bundle.install_script(SYSTEMS[0], []))
    programs = tmp_path / "bin"
    programs.mkdir()
    python = programs / "python3"
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in *image_gender_classifier.load*) exit "${BROKEN:-0}";; esac\n'
        'if [ "$1" = -c ]; then echo "${SYSTEM:-3.11 a 64}"; exit; fi\n'
        'mkdir -p "$4/bin"\ncp "$0" "$4/bin/python"\n'
        f'for word; do echo "$word"; done >> "{tmp_path}/asked"\n'
    )
    python.chmod(0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", folder / "install.sh"], env=environment, capture_output=True, text=True, check=True
    )
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:4] == ["-m", "venv", "--without-pip", f"{tmp_path}/igc"]
    assert asked[4] == f"{folder}/pip-1-py3-none-any.whl/pip"
    assert f"{folder}/wheels/a-1-py3-none-any.whl" in asked
    assert f"{tmp_path}/igc/bin/image-gender-classifier" in done.stdout
    broken = {**environment, "BROKEN": "1", "HOME": str(tmp_path / "broken")}
    reported = subprocess.run(
        ["sh", folder / "install.sh"], env=broken, capture_output=True, text=True, check=False
    )
    assert reported.returncode == 1
    assert "what is installed does not work here" in reported.stderr
    assert "installed: " not in reported.stdout
    elsewhere = {**environment, "SYSTEM": "3.13 a 64", "HOME": str(tmp_path / "other")}
    refused = subprocess.run(
        ["sh", folder / "install.sh"], env=elsewhere, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "this bundle is for bookworm-arm64" in refused.stderr
    assert not (tmp_path / "other").exists()


def test_the_script_takes_no_options(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_text(bundle.install_script(SYSTEMS[0], []))
    done = subprocess.run(["sh", script, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: sh install.sh")


def test_the_script_refuses_a_file_for_a_folder(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_text(bundle.install_script(SYSTEMS[0], []))
    done = subprocess.run(
        ["sh", script, script], capture_output=True, text=True, check=False, env={"HOME": "/"}
    )
    assert done.returncode == 2
    assert "is not a folder" in done.stderr
