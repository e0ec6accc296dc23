"""Runs `image-gender-ray` and maps exceptions to exit codes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from image_gender_classifier.cluster.installed import require_ray, set_environment
from image_gender_classifier.cluster.messages import PROGRAM, open_console
from image_gender_classifier.cluster.parser import Options, parse
from image_gender_classifier.errors import (
    GenderClassifierError,
    InternalError,
    OutputError,
    Unfinished,
)
from image_gender_classifier.outputs.escaping import escape_message
from image_gender_classifier.system.console import open_missing_streams, print_line
from image_gender_classifier.system.signals import Stopped, raise_on_signals

DONE, SOME_UNREADABLE, UNUSABLE, OUTPUT_LOST, INTERNAL = 0, 1, 2, 3, 4
INTERRUPTED = 130
_ADVICE = "run the same command with --resume to continue"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; prints errors to standard error.

    Args:
        argv: Arguments without the name of the program; None for those of the process.

    Returns:
        The exit code; see `--help`.

    Raises:
        SystemExit: After `--help` or `--version`.
    """
    open_missing_streams()
    debug = False
    try:
        with raise_on_signals():
            options = parse(argv)
            debug = options.debug
            return _run(options)
    except GenderClassifierError as error:
        return _report(error)
    except KeyboardInterrupt:
        _say(f"interrupted; the rows written so far are kept; {_ADVICE}")
        return INTERRUPTED
    except Stopped as stopped:
        _say(f"{stopped.how}; the rows written so far are kept; {_ADVICE}")
        return stopped.code
    except Exception as error:
        if debug:
            traceback.print_exception(error)
        known = _find_known_error(error)
        if known is not None:
            return _report(known)
        lines = str(error).strip().splitlines() or [""]
        hint = "" if debug else "; --debug shows more"
        _say(f"Ray failed: {type(error).__name__}: {lines[-1]}; {_ADVICE}{hint}")
        return INTERNAL


def _run(options: Options) -> int:
    """Classifies the input; returns the exit code."""
    with open_console(options.debug) as console:
        set_environment()
        require_ray()
        from image_gender_classifier.cluster.run import classify_input  # needs pyarrow

        counts, complete = classify_input(options, console)
    if counts["failed"]:
        return INTERNAL
    return DONE if complete and not counts["unreadable"] else SOME_UNREADABLE


def _find_known_error(error: BaseException | None) -> GenderClassifierError | None:
    """Returns the error of this package that ended a task, if there is one."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, GenderClassifierError):
            return error
        seen.add(id(error))
        error = getattr(error, "cause", None) or error.__cause__ or error.__context__
    return None


def _report(error: GenderClassifierError) -> int:
    """Prints an error in one line; returns the exit code."""
    cause = getattr(error, "cause", None)  # Ray derives a class, whose text is a traceback
    text = str(cause or error).partition("\n")[0]  # Ray appends lines
    _say(text)
    if isinstance(error, InternalError | Unfinished):
        return INTERNAL
    return OUTPUT_LOST if isinstance(error, OutputError) else UNUSABLE


def _say(text: str) -> None:
    print_line(f"{PROGRAM}: {escape_message(text)}", sys.stderr)
