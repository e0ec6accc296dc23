"""What the workstation's commands share: wrong usage and errors as one line and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from image_gender_classifier.errors import GenderClassifierError, OutputError, UsageError

# TensorFlow's remarks on its own inner life; what goes wrong comes as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DONE, FAILED, NOT_WRITTEN, INTERRUPTED = 0, 2, 3, 130


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        """Raises instead of ending the process."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def exit_code(program: str, work: Callable[[], None]) -> int:
    """Does a command's work.

    Returns:
        0 when done, 3 where the output cannot be written, 2 after another error of ours, 130 when
        interrupted.
    """
    try:
        work()
    except GenderClassifierError as error:
        message = str(error).replace("\n", " ")
        say(f"{program}: {message}", sys.stderr)
        return NOT_WRITTEN if isinstance(error, OutputError) else FAILED
    except ModuleNotFoundError as error:
        extras = "pip install '.[train,convert]'"
        say(f"{program}: {error.name} is not installed; in the checkout, run: {extras}", sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        say(f"{program}: interrupted", sys.stderr)
        return INTERRUPTED
    return DONE


def say(text: str, stream: TextIO) -> None:
    """Prints text; what the stream cannot show (file names hold any bytes) becomes "?"."""
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)


def check_json(path: Path | None) -> None:
    """Refuses an impossible value of `--json` before the work rather than after it.

    Raises:
        UsageError: The file cannot be written.
    """
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"--json {path}: the folder {path.parent} does not exist")
    if path is not None and path.is_dir():
        raise UsageError(f"--json {path}: is a folder, not a file")


def probability(text: str) -> float:
    """Reads an option's value.

    Raises:
        ArgumentTypeError: It is no number from 0 to 1.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return value
