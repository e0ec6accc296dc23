"""What the workstation's commands share: wrong usage and errors as one line and an exit code."""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from image_gender_classifier.errors import GenderClassifierError, OutputError, UsageError
from image_gender_classifier.system import console
from image_gender_classifier.system.signals import Stopped, stopping_raises

# TensorFlow's remarks on its own inner life; what goes wrong comes as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DONE, FAILED, NOT_WRITTEN, INTERRUPTED = 0, 2, 3, 130
_OF_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]")


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        """Raises instead of ending the process."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def exit_code(program: str, work: Callable[[], None]) -> int:
    """Does a command's work.

    Returns:
        0 when done, 3 where the output cannot be written, 2 after any other error, 130 when
        interrupted, 143 when terminated, 129 when its terminal was closed.
    """
    try:
        with stopping_raises():
            work()
    except GenderClassifierError as error:
        say(f"{program}: {_one_line(str(error))}", sys.stderr)
        return NOT_WRITTEN if isinstance(error, OutputError) else FAILED
    except OSError as error:
        say(f"{program}: {_one_line(_reported(error))}", sys.stderr)
        return NOT_WRITTEN if error.errno in _OF_OUTPUT else FAILED
    except MemoryError:
        say(f"{program}: there is too little memory; give less data or smaller sizes", sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:
        extras = "pip install '.[train,convert]'"
        say(f"{program}: {error.name} is not installed; in the checkout, run: {extras}", sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        say(f"{program}: interrupted", sys.stderr)
        return INTERRUPTED
    except Stopped as stopped:
        say(f"{program}: {stopped.how}", sys.stderr)
        return stopped.code
    return DONE


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _reported(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}; check path, rights and disk"


def say(text: str, stream: TextIO | None) -> None:
    """Prints a line.

    What the stream cannot show (file names hold any bytes) becomes "?", and so do control
    characters but tabs and ends of lines.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = _CONTROL.sub("?", text)
    console.say(shown.encode(encoding, "replace").decode(encoding), stream)


def check_json(path: Path | None) -> None:
    """Refuses an impossible value of `--json` before the work rather than after it.

    Raises:
        UsageError: The file cannot be written.
    """
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"--json {path}: the folder {path.parent} does not exist")
    if path is not None and path.is_dir():
        raise UsageError(f"--json {path}: is a folder, not a file")
    if path is not None and path.exists() and not path.is_file():
        raise UsageError(f"--json {path}: is a pipe, socket or device, whose place it would take")


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
