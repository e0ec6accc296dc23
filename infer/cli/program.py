"""The command: options in, verdicts on disk, an exit code out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from image_gender_classifier.cli import options as command_line
from image_gender_classifier.cli.options import PROGRAM, Options
from image_gender_classifier.errors import GenderClassifierError, OutputError
from image_gender_classifier.system.console import say
from image_gender_classifier.system.signals import Stopped, stopping_raises

DONE, SOME_UNREADABLE, UNUSABLE, OUTPUT_LOST, INTERNAL = 0, 1, 2, 3, 4
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program's name; the process's own by default.

    Returns:
        The exit code, as `--help` documents it.
    """
    how_to_go_on = "the same command with --resume goes on"
    try:
        with stopping_raises():
            options = command_line.parse(argv)
            if options.watch:
                how_to_go_on = "the same command goes on"
            return _run(options)
    except OutputError as error:
        return _failed(error, OUTPUT_LOST)
    except GenderClassifierError as error:
        return _failed(error, UNUSABLE)
    except KeyboardInterrupt:
        _say(f"interrupted; finished verdicts are kept, {how_to_go_on}")
        return INTERRUPTED
    except Stopped as stopped:
        _say(f"{stopped.how}; finished verdicts are kept, {how_to_go_on}")
        return stopped.code


def _run(options: Options) -> int:
    if options.watch:
        from image_gender_classifier.cli import watching  # late, as below

        watching.watch(options)
        return DONE

    from image_gender_classifier.cli import folder_run  # late: --help does without it

    totals = folder_run.run(options)
    if not options.quiet:
        say(totals.summary(), sys.stdout)
    if totals.failed:
        return INTERNAL
    return SOME_UNREADABLE if totals.newly_unreadable else DONE


def _failed(error: GenderClassifierError, code: int) -> int:
    _say(str(error).replace("\n", " "))
    return code


def _say(text: str) -> None:
    say(f"{PROGRAM}: {text}", sys.stderr)
