"""The systemd units of docs/deploy, the Dockerfile, and the sandbox of docs/security.md."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNIT = DEPLOY / "image-gender-classifier.service"
COMMAND = "/opt/image-gender-classifier/bin/image-gender-classifier"

# Everything read-only except the output folder, and no network.
SHUT_IN = """
set -e
mount --bind "$2" "$2"
for place in / /tmp /dev/shm /run /var; do
  mountpoint -q "$place" && mount -o remount,bind,ro "$place"
done
mount -o remount,bind,rw "$2"
if touch "$1/written" 2>/dev/null; then exit 77; fi
exec "$3" -m image_gender_classifier -i "$1" -o "$2"
"""


def tool(name: str) -> str:
    """Finds a program on the path or in the environment that runs the tests."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.mark.parametrize("drop_in", [None, "watch.conf"])
def test_the_units_are_valid(drop_in: str | None, tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    settings = {UNIT: tmp_path / UNIT.name}
    if drop_in is not None:
        settings[DEPLOY / drop_in] = tmp_path / f"{UNIT.name}.d" / drop_in
    for source, place in settings.items():
        text = source.read_text()
        assert COMMAND in text
        # systemd-analyze checks that the command exists.
        text = text.replace(COMMAND, sys.executable)
        place.parent.mkdir(exist_ok=True)
        place.write_text(text.replace("/opt/image-gender-classifier", str(ROOT)))
    shutil.copy(UNIT.with_suffix(".timer"), tmp_path)
    units = [str(tmp_path / UNIT.with_suffix(suffix).name) for suffix in (".service", ".timer")]
    reported = subprocess.run(
        [analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    ours = [line for line in reported.stderr.splitlines() if UNIT.stem in line]
    assert ours == []


def test_the_dockerfile_is_clean() -> None:
    linted = subprocess.run(
        [tool("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_gets_all_sources_of_the_package() -> None:
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    setuptools = settings["tool"]["setuptools"]
    needed = {"pyproject.toml", "setup.py", "constraints.txt", settings["project"]["readme"]}
    needed |= {name.partition("/")[0] for name in settings["project"]["license-files"]}
    needed |= set(setuptools["package-dir"].values())
    needed.add(
        os.path.commonpath([name for names in setuptools["data-files"].values() for name in names])
    )
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    assert needed <= sent
    assert all((ROOT / name).exists() for name in sent)


def test_nothing_is_written_beyond_the_output_folder_and_no_network_needed(
    samples: Path, tmp_path: Path
) -> None:
    shut_in = [tool("unshare"), "--mount", "--net", "--propagation", "private"]
    if subprocess.run([*shut_in, "true"], capture_output=True, check=False).returncode:
        pytest.skip("namespaces cannot be made here")
    pictures, out = tmp_path / "in", tmp_path / "out"
    out.mkdir()
    shutil.copytree(samples, pictures)
    run = subprocess.run(
        [*shut_in, "sh", "-c", SHUT_IN, "sh", str(pictures), str(out), sys.executable],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode in (32, 77):
        pytest.skip("file systems cannot be made read-only here")
    assert run.returncode == 0, run.stderr
    assert len(list(out.glob("*.xml"))) == len(list(samples.glob("*.jpg")))
