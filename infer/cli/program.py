"""Runs the command and maps exceptions to exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack

from image_gender_classifier.cli import options as command_line
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.terminal import PROGRAM, tell
from image_gender_classifier.errors import GenderClassifierError, OutputError
from image_gender_classifier.system.console import say
from image_gender_classifier.system.signals import Stopped, stopping_raises

DONE, SOME_UNREADABLE, UNUSABLE, OUTPUT_LOST, INTERNAL = 0, 1, 2, 3, 4
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the name of the program; by default those of the process.

    Returns:
        The exit code; see `--help`.
    """
    advice = "run the same command with --resume to continue"
    try:
        with stopping_raises():
            options = command_line.parse(argv)
            if options.watch:
                advice = "run the same command to continue"
            return _run(options)
    except OutputError as error:
        return _report_error(error, OUTPUT_LOST)
    except GenderClassifierError as error:
        return _report_error(error, UNUSABLE)
    except KeyboardInterrupt:
        tell(f"interrupted; finished results are kept, {advice}")
        return INTERRUPTED
    except Stopped as stopped:
        tell(f"{stopped.how}; finished results are kept, {advice}")
        return stopped.code


def _run(options: Options) -> int:
    with ExitStack() as stack:
        if options.verbose:
            from image_gender_classifier.system import logs

            stack.enter_context(logs.print_logs(f"{PROGRAM}: ", options.debug))
        from image_gender_classifier.cli.start import start_workers  # late: not for --help

        supervisor = stack.enter_context(start_workers(options))
        # The workers load their libraries while this process imports the rest.
        if options.watch:
            from image_gender_classifier.cli import watching

            watching.watch_folder(options, supervisor)
            return DONE

        from image_gender_classifier.cli import folder_run

        report = folder_run.run_folder(options, supervisor)
        if not options.quiet:
            say(report.summary, sys.stdout)
        if report.totals.failed:
            return INTERNAL
        return SOME_UNREADABLE if report.totals.newly_unreadable or report.unread else DONE


def _report_error(error: GenderClassifierError, code: int) -> int:
    tell(str(error).replace("\n", " "))
    return code
