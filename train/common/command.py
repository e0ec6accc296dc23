"""Error handling of the training commands: one line on stderr and an exit code."""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NoReturn, TextIO

from image_gender_classifier.errors import GenderClassifierError, OutputError, UsageError
from image_gender_classifier.system import console
from image_gender_classifier.system.signals import Stopped, stopping_raises

# Silences TensorFlow's C++ log; errors raise exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

Extra = Literal["train", "convert"]

DONE, FAILED, NOT_WRITTEN, INTERRUPTED = 0, 2, 3, 130
_OF_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_CONTROL = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]")


class Parser(argparse.ArgumentParser):
    """Raises UsageError on wrong usage, which `exit_code` reports in one line."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError instead of exiting."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def exit_code(program: str, work: Callable[[], None], extra: Extra = "train") -> int:
    """Runs a command and reports errors.

    Args:
        program: Name of the console script.
        work: Runs the command.
        extra: The package extra that installs the command's libraries.

    Returns:
        0 on success, 3 when the output cannot be written, 2 after any other error, 130 when
        interrupted, 143 when terminated, 129 when the terminal was closed.
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
        say(f"{program}: out of memory; use less data or smaller sizes", sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("", "image_gender_classifier"):
            raise
        install = f"pip install 'image-gender-classifier[{extra}]'"
        say(f"{program}: {library} is not installed; run: {install}", sys.stderr)
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
    return f"{where}{error.strerror or error}; check path, permissions and free space"


def say(text: str, stream: TextIO | None) -> None:
    """Prints a line.

    Replaces characters that the stream cannot encode, and control characters except tabs and
    newlines, by "?".
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = _CONTROL.sub("?", text)
    console.say(shown.encode(encoding, "replace").decode(encoding), stream)


def check_json(path: Path | None) -> None:
    """Checks the value of `--json` before the work starts.

    Raises:
        UsageError: The file cannot be written.
    """
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"--json {path}: the folder {path.parent} does not exist")
    if path is not None and path.is_dir():
        raise UsageError(f"--json {path}: is a folder, not a file")
    if path is not None and path.exists() and not path.is_file():
        raise UsageError(f"--json {path}: is a pipe, socket or device, not a file")


def probability(text: str) -> float:
    """Parses an option's value.

    Raises:
        ArgumentTypeError: The value is not a number from 0 to 1.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return value
