"""Runs the command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import pss

LEFTOVERS = ".igc-*"  # temporary files of an interrupted run
_EVERY = 0.02  # seconds between two memory samples


@dataclass(frozen=True, slots=True)
class Ended:
    """A finished run.

    Attributes:
        code: Exit code.
        errors: Standard error.
        resident: Peak resident set size of the largest of its processes in MB.
    """

    code: int
    errors: str
    resident: float


def start(pictures: Path, out: Path, *options: object, errors: int) -> subprocess.Popen[bytes]:
    """Starts a run that writes standard error to a file descriptor."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "image_gender_classifier", "--quiet"),
            *("-i", str(pictures), "-o", str(out), *map(str, options)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )


def run(pictures: Path, out: Path, *options: object, timeout: float = 3600) -> Ended:
    """Runs the command to its end.

    Raises:
        subprocess.TimeoutExpired: The run takes longer than `timeout` seconds.
    """
    began = time.monotonic()
    resident = 0.0
    with tempfile.TemporaryFile() as errors:
        process = start(pictures, out, *options, errors=errors.fileno())
        while process.poll() is None:
            members = pss.tree(process.pid)
            resident = max(resident, *map(pss.peak_resident, members))
            if time.monotonic() - began > timeout:
                process.kill()
                process.wait()
                raise subprocess.TimeoutExpired(process.args, timeout)
            time.sleep(_EVERY)
        errors.seek(0)
        return Ended(process.returncode, errors.read().decode("utf-8", "replace"), resident)


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the bytes of every file of a folder by name, including leftovers."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
