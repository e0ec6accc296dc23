"""Runs `image-gender-review` and maps exceptions to exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from image_gender_classifier.errors import (
    GenderClassifierError,
    InternalError,
    OutputError,
    Unfinished,
)
from image_gender_classifier.outputs.escaping import escape_message
from image_gender_classifier.review import parser
from image_gender_classifier.review.parser import PROGRAM, Options
from image_gender_classifier.system.console import print_line
from image_gender_classifier.system.signals import Stopped, raise_on_signals
from image_gender_classifier.system.unexpected import report_unexpected

DONE, UNUSABLE, OUTPUT_LOST, INTERNAL, INTERRUPTED = 0, 2, 3, 4, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the name of the program; by default those of the process.

    Returns:
        The exit code; see `--help`.
    """
    debug = False
    try:
        with raise_on_signals():
            options = parser.parse(argv)
            debug = options.debug
            _run(options)
            return DONE
    except OutputError as error:
        return _report(error, OUTPUT_LOST)
    except (InternalError, Unfinished) as error:
        return _report(error, INTERNAL)
    except GenderClassifierError as error:
        return _report(error, UNUSABLE)
    except KeyboardInterrupt:
        print_message("stopped")
        return INTERRUPTED
    except Stopped as stopped:
        print_message(stopped.how)
        return stopped.code
    except Exception as error:
        print_message(report_unexpected(error, debug))
        return INTERNAL


def print_message(text: str) -> None:
    """Prints a message to standard error, prefixed with the program name."""
    print_line(f"{PROGRAM}: {escape_message(text)}", sys.stderr)


def _run(options: Options) -> None:
    if options.port is None:
        from image_gender_classifier.review.files import write_files

        summary = write_files(options)
        if not options.quiet:
            print_message(summary)
        return
    from image_gender_classifier.review.serving import serve

    def announce(address: str) -> None:
        print_message(f"open {address} ; Ctrl-C ends")

    serve(options, options.port, announce, print_message)


def _report(error: GenderClassifierError, code: int) -> int:
    print_message(str(error).replace("\n", " "))
    return code
