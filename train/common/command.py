"""Argument parsing, console output and exit codes of training, evaluation and conversion commands.

`run_with_exit_code` turns expected exceptions into one-line error messages and exit codes.
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import Any, Literal, TextIO

from image_gender_classifier.cli.argument_parser import ArgumentParser
from image_gender_classifier.errors import GenderClassifierError, OutputError, UsageError
from image_gender_classifier.system import console
from image_gender_classifier.system.signals import Stopped, raise_on_signals

# Silences TensorFlow's C++ log, before TensorFlow is imported; errors raise exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

Extra = Literal["train", "convert"]
_HELP_WIDTH = 90

# Exit codes.
DONE, FAILED, NOT_WRITTEN, INTERRUPTED = 0, 2, 3, 130
_OUTPUT_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # only writing raises these
_CONTROL_CHARACTERS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]")


class Parser(ArgumentParser):
    """The argument parser of the training commands.

    `run_with_exit_code` prints an error as one line, without the usage.
    """

    def __init__(self, **options: Any) -> None:
        """Creates the parser; the examples in `epilog` keep their lines."""
        width = partial(argparse.RawDescriptionHelpFormatter, width=_HELP_WIDTH)
        super().__init__(formatter_class=width, **options)
        self.description = fill(self.description or "", _HELP_WIDTH)


def run_with_exit_code(
    program: str,
    work: Callable[[], None],
    extra: Extra = "train",
    interrupted: str = "interrupted",
) -> int:
    """Runs a command; prints an expected error as one line to stderr and returns the exit code.

    Args:
        program: Name of the console script.
        work: Function that runs the command.
        extra: The package extra that installs the command's libraries.
        interrupted: Message after Ctrl-C.

    Returns:
        The exit code: 0 on success, 2 after an error, 3 if the output cannot be written, 129 after
        SIGHUP, 130 after SIGINT, 143 after SIGTERM.

    Raises:
        Exception: `work` raised an exception other than GenderClassifierError, OSError,
            MemoryError, its counterpart of TensorFlow, and ModuleNotFoundError for a third-party
            library; this indicates a bug.
    """
    try:
        with raise_on_signals():
            work()
    except GenderClassifierError as error:
        print_line(f"{program}: {_join_lines(str(error))}", sys.stderr)
        return NOT_WRITTEN if isinstance(error, OutputError) else FAILED
    except OSError as error:
        print_line(f"{program}: {_join_lines(_format_os_error(error))}", sys.stderr)
        return NOT_WRITTEN if error.errno in _OUTPUT_ERRNOS else FAILED
    except MemoryError:
        return _report_short_memory(program)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in ("", "image_gender_classifier"):
            raise
        install = f"pip install 'image-gender-classifier[{extra}]'"
        print_line(f"{program}: {library} is not installed; run: {install}", sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print_line(f"{program}: {interrupted}", sys.stderr)
        return INTERRUPTED
    except Stopped as stopped:
        print_line(f"{program}: {stopped.how}", sys.stderr)
        return stopped.code
    except Exception as error:
        if not _is_short_of_memory(error):
            raise
        return _report_short_memory(program)
    return DONE


def require_tensorflow() -> None:
    """Raises ModuleNotFoundError if TensorFlow is not installed, without importing it."""
    if find_spec("tensorflow") is None:
        raise ModuleNotFoundError(name="tensorflow")


def _report_short_memory(program: str) -> int:
    """Prints that the memory does not suffice; returns the exit code."""
    print_line(f"{program}: out of memory; use less data or a smaller batch", sys.stderr)
    return FAILED


def _is_short_of_memory(error: Exception) -> bool:
    """Returns whether TensorFlow raised an error because memory is short; does not import it."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(error, tensorflow.errors.ResourceExhaustedError)


def _join_lines(text: str) -> str:
    """Replaces line breaks by spaces."""
    return text.replace("\n", " ")


def _format_os_error(error: OSError) -> str:
    """Returns the path (if known), the reason and the remedy of an operating system error."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}; check the path, permissions and free space"


def print_line(text: str, stream: TextIO | None) -> None:
    """Prints a line to a stream; does nothing if the stream is None.

    Control characters (except tab and newline) and characters that the stream cannot encode are
    printed as "?".
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = _CONTROL_CHARACTERS.sub("?", text)
    console.print_line(shown.encode(encoding, "replace").decode(encoding), stream)


def print_warning(text: str) -> None:
    """Prints a warning to stderr; see `print_line`."""
    print_line(f"warning: {text}", sys.stderr)


def check_json_path(path: Path | None) -> None:
    """Checks that the path of `--json` is in an existing folder and is not a folder or device.

    Args:
        path: Value of the option; None if it is not given.

    Raises:
        UsageError: The folder of `path` does not exist, or `path` exists and is not a regular file.
    """
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"--json {path}: the folder {path.parent} does not exist; create it")
    if path is not None and path.is_dir():
        raise UsageError(f"--json {path}: this is a folder; expected a file")
    if path is not None and path.exists() and not path.is_file():
        raise UsageError(f"--json {path}: this is a pipe, socket or device; expected a file")


def parse_probability(text: str) -> float:
    """Parses a number from 0 to 1, as the `type` of an argparse option.

    Raises:
        ArgumentTypeError: `text` is not a number from 0 to 1.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value
