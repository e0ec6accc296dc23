"""Runs the command and maps exceptions to exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack

from image_gender_classifier.cli.options import Options, parse_options
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.errors import (
    GenderClassifierError,
    InternalError,
    OutputError,
    Unfinished,
)
from image_gender_classifier.system.console import open_missing_streams, print_line
from image_gender_classifier.system.signals import Stopped, raise_on_signals

# Exit codes; --help explains them.
DONE, SOME_UNREADABLE, UNUSABLE, OUTPUT_LOST, INTERNAL = 0, 1, 2, 3, 4
INTERRUPTED, READER_ENDED = 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; prints errors to standard error.

    Args:
        argv: Arguments without the program name; None for those of this process.

    Returns:
        The exit code; see `--help`.

    Raises:
        SystemExit: With code 0, after `--help` or `--version` has been printed.
    """
    open_missing_streams()
    advice = "; finished results are kept; run the same command with --resume to continue"
    debug = False
    try:
        with raise_on_signals():
            options = parse_options(argv)
            debug = options.debug
            if options.watch:
                advice = "; finished results are kept; run the same command to continue"
            elif not options.writes_files:
                advice = ""
            return _run(options)
    except OutputError as error:
        return _report_error(error, OUTPUT_LOST)
    except (InternalError, Unfinished) as error:
        return _report_error(error, INTERNAL)
    except GenderClassifierError as error:
        return _report_error(error, UNUSABLE)
    except KeyboardInterrupt:
        print_message(f"interrupted{advice}")
        return INTERRUPTED
    except Stopped as stopped:
        print_message(f"{stopped.how}{advice}")
        return stopped.code
    except Exception as error:
        return _report_unexpected(error, advice, debug)


def _run(options: Options) -> int:
    """Classifies the pictures once, or watches the folder; returns the exit code."""
    with ExitStack() as stack:
        if options.verbose:
            from image_gender_classifier.system import logs

            stack.enter_context(logs.print_logs(print_message, options.debug))
        from image_gender_classifier.cli.start import start_workers  # late: not for --help

        supervisor = stack.enter_context(start_workers(options))
        # The workers load their libraries while this process imports the rest.
        if options.watch:
            from image_gender_classifier.cli import watching

            watching.watch_folder(options, supervisor)
            return DONE

        if options.writes_files:
            from image_gender_classifier.cli import folder_run

            report = folder_run.run_folder(options, supervisor)
        else:
            from image_gender_classifier.cli import picture_run

            report = picture_run.run_pictures(options, supervisor)
        if not report.has_reader:
            return READER_ENDED
        if (options.writes_files and not options.quiet) or options.summary == "json":
            print_line(report.summary, sys.stderr if options.prints_predictions else sys.stdout)
        if report.totals.failed:
            return INTERNAL
        totals = report.totals
        incomplete = totals.newly_unreadable or totals.left_out or report.unread
        return SOME_UNREADABLE if incomplete else DONE


def _report_unexpected(error: Exception, advice: str, debug: bool) -> int:
    """Prints an exception that no code expects; returns the exit code."""
    from image_gender_classifier.system.unexpected import report_unexpected  # rarely needed

    print_message(f"{report_unexpected(error, debug)}{advice}")
    return INTERNAL


def _report_error(error: GenderClassifierError, code: int) -> int:
    """Prints an error in one line; returns the exit code."""
    print_message(str(error).replace("\n", " "))
    return code
