"""The bundle for boards without internet: its package source, script and contents."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from bundle import archive, debian
from bundle.install_script import install_script
from bundle.processes import run
from bundle.systems import BOARDS
from bundle.wheels import pip_options
from pi.steps import DOCUMENT, read_steps

ARM64, _, ARMHF = BOARDS
CONTROL = "Package: {}\nVersion: 1:1.0\nArchitecture: all\nMaintainer: a\nDescription: b\n{}"


def package(folder: Path, name: str, more: str = "") -> Path:
    """Builds a package with the file name that apt gives to downloads."""
    tree = folder / name / "DEBIAN"
    tree.mkdir(parents=True)
    (tree / "control").write_text(CONTROL.format(name, more))
    built = folder / f"{name}_1%3a1.0_all.deb"
    run(["dpkg-deb", "--build", "--root-owner-group", tree.parent, built])
    return built


@pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "dpkg-deb"))), reason="needs a Debian machine"
)
def test_apt_installs_only_needed_packages_of_a_bundle(tmp_path: Path) -> None:
    packages = [
        package(tmp_path, "wanted", "Depends: needed (>= 1:1.0)\n"),
        package(tmp_path, "needed"),
        package(tmp_path, "other"),
    ]
    archive.write_repository(packages, tmp_path / "packages")
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
    uris = run([*apt, "install", "--print-uris", "--yes", "wanted"])
    files = {Path(line.split("'")[1].removeprefix("file:")) for line in uris.splitlines()}
    assert {file.name.partition("_")[0] for file in files} == {"wanted", "needed"}
    assert all(file.is_file() for file in files)


def test_bundle_installs_what_the_documentation_installs() -> None:
    steps = read_steps(DOCUMENT.read_text("utf-8"))
    assert steps["32-bit"].packages == ("python3-venv", *ARMHF.packages)
    assert steps["32-bit"].pip_arguments()[0] == ["--no-deps", *(ARMHF.requirements or ())]
    assert steps["standard"].packages == ("python3-venv",)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle for 64-bit bookworm whose Python and wheels are placeholders."""
    folder = tmp_path / "a bundle"
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels" / "a-1-py3-none-any.whl").touch()
    (folder / "pip-1-py3-none-any.whl").touch()
    (folder / "install.sh").write_text(install_script(ARM64))
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(
        "#!/bin/sh\n"
        'case "$*" in *image_gender_classifier.load*) exit "${BROKEN:-0}";; esac\n'
        'if [ "$1" = -c ]; then echo "${SYSTEM:-3.11 a 64}"; exit; fi\n'
        'mkdir -p "$4/bin"\ncp "$0" "$4/bin/python"\n'
        f'for word; do echo "$word"; done >> "{tmp_path}/asked"\n'
    )
    python.chmod(0o755)
    return folder


def install(bundle: Path, *arguments: str, **environment: str) -> CompletedProcess[str]:
    root = bundle.parent
    return subprocess.run(
        ["sh", bundle / "install.sh", *arguments],
        env={"PATH": f"{root}/bin:/usr/bin:/bin", "HOME": str(root), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_script_installs_the_wheels_beside_it(bundle: Path) -> None:
    done = install(bundle)
    assert done.returncode == 0, done.stderr
    asked = (bundle.parent / "asked").read_text().splitlines()
    assert asked[:4] == ["-m", "venv", "--without-pip", f"{bundle.parent}/igc"]
    assert asked[4] == f"{bundle}/pip-1-py3-none-any.whl/pip"
    assert f"{bundle}/wheels/a-1-py3-none-any.whl" in asked
    assert f"{bundle.parent}/igc/bin/image-gender-classifier" in done.stdout


def test_script_reports_an_installation_that_does_not_work(bundle: Path) -> None:
    done = install(bundle, BROKEN="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the installed files do not work" in done.stderr


def test_script_refuses_another_system_before_it_installs(bundle: Path) -> None:
    done = install(bundle, SYSTEM="3.13 a 64")
    assert done.returncode == 2
    assert "this bundle is for bookworm-arm64" in done.stderr
    assert not (bundle.parent / "igc").exists()


def test_script_refuses_options_and_files(bundle: Path) -> None:
    assert install(bundle, "--help").stderr.startswith("usage: sh install.sh")
    assert "is not a folder" in install(bundle, str(bundle / "install.sh")).stderr


def test_script_for_32_bit_installs_debian_packages(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_text(install_script(ARMHF))
    run(["sh", "-n", script])
    assert "--system-site-packages" in script.read_text()
    assert f"install {' '.join(ARMHF.packages)}\n" in script.read_text()
    assert '!= "3.11 a 32"' in script.read_text()


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["# http://a.example.org/debian\nURIs: http://b.example.org/debian\n"],
         "http://b.example.org/debian"),
        (["deb [trusted=yes] https://c.example.org/pub/debian trixie main"],
         "https://c.example.org/pub/debian"),
        (["deb http://d.example.org/debian-security trixie-security main"], debian.DEFAULT_MIRROR),
    ],
)  # fmt: skip
def test_debian_mirror_of_this_machine_is_used(sources: list[str], expected: str) -> None:
    assert debian.mirror_of(sources) == expected


def test_pip_takes_wheels_of_the_system_only() -> None:
    options = pip_options(ARMHF)
    assert {"--only-binary=:all:", "--python-version=3.11", "--abi=cp311"} < set(options)
    assert options[-1] == "--platform=manylinux2014_armv7l"
