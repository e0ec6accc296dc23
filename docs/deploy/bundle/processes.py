"""Runs programs and reports failures."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TAIL = 30  # last lines of a failed program's output to report


class CannotRun(Exception):
    """This machine lacks a program or a connection that the task needs."""


class Failed(Exception):
    """A program failed."""


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Runs a program to its end and returns its standard output.

    Args:
        command: The program and its arguments.
        environment: Variables to set in addition to those of this process.
        folder: Working directory.

    Raises:
        Failed: The exit code is not 0.
    """
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        text=True,
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_TAIL:])
        words = " ".join(str(word) for word in command)
        raise Failed(f"exit code {done.returncode}: {words}\n{tail}")
    return done.stdout
