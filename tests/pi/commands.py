"""Runs programs of this machine, and says clearly which one went wrong."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pi.errors import Failed

_TAIL = 30  # lines of a failed program's output that are shown


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Runs a program to its end; gives its standard output.

    Args:
        command: The program and its arguments.
        environment: Variables set in addition to this process's own.
        folder: Where it runs.

    Raises:
        Failed: It ended with another code than 0.
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
        raise Failed(f"ended with code {done.returncode}: {words}\n{tail}")
    return done.stdout
