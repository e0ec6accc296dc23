"""The command: options in, verdicts on disk, an exit code out."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from image_gender_classifier import options as command_line
from image_gender_classifier.console import say
from image_gender_classifier.errors import GenderClassifierError, OutputError
from image_gender_classifier.options import PROGRAM, Options

DONE, SOME_UNREADABLE, UNUSABLE, OUTPUT_LOST = 0, 1, 2, 3
INTERRUPTED = 130
_STOPPED = {signal.SIGTERM: ("terminated", 143), signal.SIGHUP: ("terminal closed", 129)}


class _Stopped(BaseException):
    """A signal arrived that ends the command; a BaseException as KeyboardInterrupt is.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = signal.Signals(number)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program's name; the process's own by default.

    Returns:
        The exit code, as `--help` documents it.
    """
    how_to_go_on = "the same command with --resume goes on"
    try:
        with _signals_raise():
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
    except _Stopped as stopped:
        how, code = _STOPPED[stopped.number]
        _say(f"{how}; finished verdicts are kept, {how_to_go_on}")
        return code


def _run(options: Options) -> int:
    if options.watch:
        from image_gender_classifier import watching  # late, as below

        watching.watch(options)
        return DONE

    from image_gender_classifier import folder_run  # late: --help does without it

    totals = folder_run.run(options)
    if not options.quiet:
        say(totals.summary(), sys.stdout)
    return SOME_UNREADABLE if totals.newly_unreadable else DONE


def _failed(error: GenderClassifierError, code: int) -> int:
    _say(str(error).replace("\n", " "))
    return code


def _say(text: str) -> None:
    say(f"{PROGRAM}: {text}", sys.stderr)


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Turns signals that end the command into exceptions for a while; only a main thread may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGINT: signal.default_int_handler, **dict.fromkeys(_STOPPED, _stop)}
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped(number)
