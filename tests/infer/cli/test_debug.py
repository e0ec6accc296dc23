"""--debug shows the traceback of an internal error in a worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
    debug = subprocess.run([*run, "--debug"], capture_output=True, text=True, check=False)
    assert debug.returncode == 4
    assert "Traceback" in debug.stderr and "in faulty" in debug.stderr
