"""The command as a process of its own, as a user has it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import pss

ROOT = Path(__file__).resolve().parents[2]
LEFTOVERS = ".igc-*"
_EVERY = 0.02  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        code: Its exit code.
        said: What it said on standard error.
        resident: Highest resident size of one of its processes in MB.
    """

    code: int
    said: str
    resident: float


def start(pictures: Path, out: Path, *options: object, said: int) -> subprocess.Popen[bytes]:
    """Starts a run; `said` is the file descriptor for what it says."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "image_gender_classifier", "--quiet"),
            *("-i", pictures, "-o", out, *map(str, options)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=said,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )


def run(pictures: Path, out: Path, *options: object, patience: float = 3600) -> Ended:
    """Runs the command to its end.

    Raises:
        subprocess.TimeoutExpired: It takes longer than `patience` seconds.
    """
    began = time.monotonic()
    resident = 0.0
    with tempfile.TemporaryFile() as said:
        process = start(pictures, out, *options, said=said.fileno())
        while process.poll() is None:
            members = pss.tree(process.pid)
            resident = max(resident, max(map(pss.peak_resident, members), default=0.0))
            if time.monotonic() - began > patience:
                process.kill()
                process.wait()
                raise subprocess.TimeoutExpired(process.args, patience)
            time.sleep(_EVERY)
        said.seek(0)
        return Ended(process.returncode, said.read().decode("utf-8", "replace"), resident)


def contents(folder: Path) -> dict[str, bytes]:
    """Gives every file of a folder, leftovers too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
