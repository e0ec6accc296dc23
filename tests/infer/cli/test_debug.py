"""--debug shows the tracebacks of workers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FAULTY = """
import sys
from image_gender_classifier import pipeline
from image_gender_classifier.cli import program

def faulty(*_):
    raise ZeroDivisionError("a bug")

pipeline.classify = faulty  # workers are forked from this process
sys.exit(program.main())
"""


def test_the_traceback_of_a_worker_reaches_standard_error(folder: Path, out: Path) -> None:
    run = [sys.executable, "-c", FAULTY, "-i", str(folder), "-o", str(out)]
    plain = subprocess.run(run, capture_output=True, text=True, check=False)
    assert plain.returncode == 4
    assert "Traceback" not in plain.stderr
    assert "--debug shows the traceback" in plain.stderr
    debug = subprocess.run([*run, "--debug"], capture_output=True, text=True, check=False)
    assert debug.returncode == 4
    assert "Traceback" in debug.stderr and "in faulty" in debug.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_model_that_cannot_be_opened_shows_its_cause(
    workers: str, folder: Path, out: Path, models: Path
) -> None:
    pytest.importorskip("onnxruntime")
    manifest = models / "manifest.json"
    broken = b"no model"
    (models / "gender_int8.onnx").write_bytes(broken)
    entries = json.loads(manifest.read_text())
    entries["files"]["gender_int8.onnx"] |= {
        "bytes": len(broken), "sha256": hashlib.sha256(broken).hexdigest(),
    }  # fmt: skip
    manifest.write_text(json.dumps(entries))
    run = [sys.executable, "-m", "image_gender_classifier", "-i", str(folder), "-o", str(out)]
    run += ["--model", str(models / "gender_int8.onnx"), "--workers", workers]
    plain = subprocess.run(run, capture_output=True, text=True, check=False)
    assert plain.returncode == 2
    assert plain.stderr.count("\n") == 1
    assert "gender_int8.onnx: the ONNX model cannot be opened" in plain.stderr
    debug = subprocess.run([*run, "--debug"], capture_output=True, text=True, check=False)
    assert debug.returncode == 2
    assert "Traceback" in debug.stderr and "InferenceSession(" in debug.stderr


WITHOUT_ONNX_RUNTIME = """
import sys
from image_gender_classifier.cli import program

sys.modules["onnxruntime"] = None  # makes its import fail
sys.exit(program.main())
"""


def test_a_missing_runtime_shows_its_cause(folder: Path, out: Path) -> None:
    run = [sys.executable, "-c", WITHOUT_ONNX_RUNTIME, "-i", str(folder), "-o", str(out)]
    run += ["--runtime", "onnx", "--debug"]
    debug = subprocess.run(run, capture_output=True, text=True, check=False)
    assert debug.returncode == 2
    assert "import onnxruntime" in debug.stderr and "ModuleNotFoundError" in debug.stderr


CRASHING = """
import ctypes, sys
from image_gender_classifier import pipeline
from image_gender_classifier.cli import program

def crash_in_native_code(*_):
    ctypes.string_at(0)

pipeline.classify = crash_in_native_code
sys.exit(program.main())
"""


@pytest.mark.slow
def test_pythonfaulthandler_shows_where_native_code_crashed(folder: Path, out: Path) -> None:
    run = [sys.executable, "-c", CRASHING, "-i", str(folder), "-o", str(out), "--debug"]
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Segmentation fault" in done.stderr and "in crash_in_native_code" in done.stderr


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_bug_of_the_command_itself_is_one_line(debug: list[str], folder: Path, out: Path) -> None:
    faulty = FAULTY.replace("pipeline.classify =", "folder_run.run_folder =").replace(
        "pipeline\n", "pipeline\nfrom image_gender_classifier.cli import folder_run\n", 1
    )
    run = [sys.executable, "-c", faulty, "-i", str(folder), "-o", str(out), *debug]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "internal error (ZeroDivisionError: a bug)" in done.stderr.splitlines()[-1]
    assert ("in faulty" in done.stderr) == bool(debug)
    assert len(done.stderr.splitlines()) == 1 or debug


def test_a_deleted_current_folder_is_named(folder: Path, out: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    given = ["-i", os.path.relpath(folder, here), "-o", os.path.relpath(out, here)]
    run = f"rmdir {here}; exec {sys.executable} -m image_gender_classifier {' '.join(given)}"
    done = subprocess.run(["sh", "-c", run], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "the current folder no longer exists" in done.stderr
    assert len(done.stderr.splitlines()) == 1
