"""Messages and commands of `make`, with a stand-in for its environment."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str) -> CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
    )  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A finished light environment that uses the Python of these tests."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "env" / ".made").touch()
    return tmp_path / "env"


def classify(
    environment: Path, pictures: Path, out: Path, *arguments: str
) -> CompletedProcess[str]:
    given = (f"LIGHT={environment}", f"IN={pictures}", f"OUT={out}", *arguments)
    return make("classify", *given)


def test_success_is_not_explained(environment: Path, samples: Path, tmp_path: Path) -> None:
    reported = classify(environment, samples, tmp_path / "out")
    assert (reported.returncode, reported.stderr) == (0, "")
    assert "5 pictures: " in reported.stdout


def test_unreadable_pictures_do_not_look_like_a_crash(
    environment: Path, samples: Path, tmp_path: Path
) -> None:
    shutil.copytree(samples, tmp_path / "in")
    (tmp_path / "in" / "broken.jpg").write_bytes(b"broken")
    reported = classify(environment, tmp_path / "in", tmp_path / "out")
    assert reported.returncode == 2  # of make itself
    assert "Finished. Some pictures could not be read: their XML files say why" in reported.stderr
    assert "Error 1" in reported.stderr


def test_wrong_usage_and_a_lost_output_are_explained(
    environment: Path, samples: Path, tmp_path: Path
) -> None:
    reported = classify(environment, tmp_path / "missing", tmp_path / "out")
    assert "the line above says what is wrong (exit code 2)" in reported.stderr
    python = environment / "bin" / "python"
    python.write_text(python.read_text().replace("exec", "ulimit -f 0\nexec"))
    reported = classify(environment, samples, tmp_path / "out")
    assert "the output can no longer be written" in reported.stderr
    assert "(exit code 3)" in reported.stderr


def test_the_cost_of_the_tests_is_printed_first(tmp_path: Path) -> None:
    shown = make("--dry-run", "test", f"HEAVY={tmp_path / 'none'}").stdout
    assert shown.index("2.4 GB on disk") < shown.index("pip --disable")
    assert "--quiet" not in shown
    assert shown.index("minutes on two cores") < shown.index("-m pytest")


def test_a_trained_model_is_converted_without_options(environment: Path, tmp_path: Path) -> None:
    heavy = f"HEAVY={environment}"
    trained = tmp_path / "gender.keras"
    trained.touch()

    def command(*variables: str) -> str:
        shown = make("--dry-run", "convert", heavy, f"CONVERT_OUT={tmp_path / 'out'}", *variables)
        return " ".join(shown.stdout.replace("\\\n", " ").split())

    assert command(f"TRAIN_OUT={tmp_path}").endswith(f"--out='{tmp_path / 'out'}'")
    own = command(f"TRAIN_OUT={tmp_path}", "DATA=photos", "LAYOUT=folders")
    assert own.endswith("--data 'photos' --layout 'folders'")
    assert "--data" in command(f"TRAIN_OUT={tmp_path / 'none'}")
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / "run.json").touch()
    assert f"--model='{unfinished / 'gender.keras'}'" in command(f"TRAIN_OUT={unfinished}")


def test_classify_takes_a_model(environment: Path, samples: Path, tmp_path: Path) -> None:
    model = tmp_path / "no.tflite"
    reported = classify(environment, samples, tmp_path / "out", f"MODEL={model}")
    assert f"{model}: no such file" in reported.stderr
