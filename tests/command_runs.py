"""Types, constants and functions for tests that run the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess, Popen
from typing import Any

CheckXml = Callable[[bytes], Any]
Command = Callable[..., CompletedProcess[str]]
Start = Callable[..., Popen[str]]

LIKELIER = ("--threshold", 0.5)
"""Options with which the sample is classified, whose confidence is below the default threshold."""
STATUSES = {"astronaut": "classified", "cat": "no_face", "rocket": "no_face"}
MANY = 150
"""Number of pictures in the fixture `many_pictures`."""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def error_line(ended: CompletedProcess[str]) -> str:
    """Returns the error message of a failed command, the only line of its output."""
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1 and ended.stderr.endswith("\n")
    assert ended.stderr.startswith("image-gender-classifier: ")
    return ended.stderr


def ended(process: Popen[str]) -> CompletedProcess[str]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return CompletedProcess(process.args, process.returncode, out, err)
