"""Runs commands and measures their time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import pss
from benchmarks.figures import CannotMeasure

PROGRAMS = Path(__file__).with_name("programs")
_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Run:
    """Time and memory of one finished command.

    Attributes:
        wall: Elapsed seconds.
        cpu: Processor seconds of all its threads and descendants.
        peak: Highest sampled PSS of the process tree in MB; 0 if not sampled.
        resident: Peak resident set size of its first process in MB; 0 if not sampled.
    """

    wall: float
    cpu: float
    peak: float = 0.0
    resident: float = 0.0


def run(arguments: Sequence[str | Path], sample_every: float | None = None) -> Run:
    """Runs a command to its end.

    Args:
        arguments: The command with its arguments.
        sample_every: Seconds between two memory samples; None for none, because sampling disturbs
            times.

    Raises:
        CannotMeasure: The command failed.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=errors, env=_environment()
        )
        peak = resident = 0.0
        running = sample_every is not None
        while running:
            peak = max(peak, pss.of_tree(process.pid))
            resident = max(resident, pss.peak_resident(process.pid))
            time.sleep(sample_every or 0)
            state = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            running = state is None
        # wait4 returns the usage of this child; getrusage would sum over all children so far.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise CannotMeasure(_failure(arguments[0], process.returncode, errors.read()))
    return Run(wall, usage.ru_utime + usage.ru_stime, peak, resident)


def ask(program: str, *arguments: object, python: Path | None = None) -> Any:
    """Runs a program of the folder `programs` and returns the JSON that it prints.

    Args:
        program: File name without `.py`.
        arguments: Command-line arguments.
        python: The interpreter; the current one by default.

    Raises:
        CannotMeasure: The program failed.
    """
    done = subprocess.run(
        [str(python or sys.executable), PROGRAMS / f"{program}.py", *map(str, arguments)],
        capture_output=True,
        env=_environment(),
        check=False,
    )
    if done.returncode != 0:
        raise CannotMeasure(_failure(program, done.returncode, done.stderr))
    return json.loads(done.stdout)


def _environment() -> dict[str, str]:
    """The environment without PYTHONPATH, which slows down imports."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _failure(program: str | Path, code: int, errors: bytes) -> str:
    last = " / ".join(errors.decode("utf-8", "replace").splitlines()[-_LAST_LINES:])
    return f"{Path(program).name} exited with code {code}: {last}"
