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
    describe_bug,
)
from image_gender_classifier.outputs.escaping import escape_message
from image_gender_classifier.system.console import open_missing_streams, print_line
from image_gender_classifier.system.signals import Stopped, raise_on_signals
from image_gender_classifier.system.unexpected import report_unexpected

DONE, SOME_UNREADABLE, UNUSABLE, OUTPUT_LOST, INTERNAL = 0, 1, 2, 3, 4
INTERRUPTED = 130
_PACKAGE = __name__.partition(".")[0]
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
        known = _find_known_error(error)
        if known is None:
            _say(f"{_describe_unexpected(error, debug)}; {_ADVICE}")
            return INTERNAL
        if debug:
            traceback.print_exception(error)
        return _report(known)


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


def _describe_unexpected(error: Exception, debug: bool) -> str:
    """Returns what happened in one line: a bug of this package, or a failure of Ray.

    Args:
        error: Any exception that has no error of this package as its cause.
        debug: Whether to print the traceback.
    """
    if not _is_from_ray(error) and _is_raised_here(error):
        return report_unexpected(error, debug)
    if debug:
        traceback.print_exception(error)
    bug = getattr(error, "cause", None)
    # An ImportError means that a node lacks the package or a library.
    if isinstance(bug, Exception) and not (isinstance(bug, ImportError) or _is_from_ray(bug)):
        why, _, _ = str(bug).partition("\n")  # Ray appends lines
        what, hint = describe_bug(f"{type(bug).__name__}: {why}"), "; --debug shows the traceback"
    else:
        lines = str(error).strip().splitlines() or [""]
        what = f"Ray failed: {type(error).__name__}: {lines[-1]}"
        hint = "; --debug shows more"
    return what if debug else what + hint


def _is_from_ray(error: Exception) -> bool:
    """Returns whether Ray defines the class of an exception, as those of its tasks."""
    return any(kind.__module__.partition(".")[0] == "ray" for kind in type(error).__mro__)


def _is_raised_here(error: Exception) -> bool:
    """Returns whether code of this package raised an exception, or called what did; not Ray."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    packages = [frame.f_globals.get("__name__", "").partition(".")[0] for frame in frames]
    both = [package for package in packages if package in ("ray", _PACKAGE)]
    return both[-1:] == [_PACKAGE]


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
