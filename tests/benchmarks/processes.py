"""Runs a command to its end, and says what it took."""

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
    """What one run of a command took.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: Seconds of processor time, of all its threads and of what it started.
        peak: Highest sampled proportional set size of its tree in MB; 0 where not asked for.
        resident: Highest resident size of its own process in MB; 0 where not asked for.
    """

    wall: float
    cpu: float
    peak: float = 0.0
    resident: float = 0.0


def run(arguments: Sequence[str | Path], sample_every: float | None = None) -> Run:
    """Runs a command.

    Args:
        arguments: The command with its arguments.
        sample_every: Seconds between two looks at its memory; None leaves it alone, since looking
            disturbs times.

    Raises:
        CannotMeasure: It failed.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=errors, env=_environment()
        )
        peak = resident = 0.0
        waiting = sample_every is not None
        while waiting:
            peak = max(peak, pss.of_tree(process.pid))
            resident = max(resident, pss.highest_of(process.pid))
            time.sleep(sample_every or 0)
            state = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            waiting = state is None
        # wait4 gives this child's processor time alone, where getrusage sums over all children.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise CannotMeasure(_reported(arguments, process.returncode, errors.read()))
    return Run(wall, usage.ru_utime + usage.ru_stime, peak, resident)


def ask(
    program: str, *arguments: object, python: Path | None = None, under: Sequence[str] = ()
) -> Any:
    """Runs one of the programs beside this module, and gives the JSON that it prints.

    Args:
        program: Its file name without the ending.
        arguments: What it is told.
        python: The interpreter; this process's own by default.
        under: A command that runs the interpreter, such as valgrind.

    Raises:
        CannotMeasure: It failed.
    """
    command = [*under, str(python or sys.executable), str(PROGRAMS / f"{program}.py")]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, env=_environment(), check=False
    )
    if done.returncode != 0:
        raise CannotMeasure(_reported([program], done.returncode, done.stderr))
    return json.loads(done.stdout)


def _environment() -> dict[str, str]:
    """What programs find here, without the path to this harness: it slows imports down."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _reported(arguments: Sequence[str | Path], code: int, errors: bytes) -> str:
    said = " / ".join(errors.decode("utf-8", "replace").splitlines()[-_LAST_LINES:])
    return f"{Path(arguments[0]).name} ended with {code}: {said}"
