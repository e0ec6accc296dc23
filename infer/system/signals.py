"""Raises an exception on SIGTERM and SIGHUP, so that the command can clean up before it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_REASONS = {signal.SIGTERM: ("terminated", 143), signal.SIGHUP: ("terminal closed", 129)}


class Stopped(BaseException):
    """Raised when SIGTERM or SIGHUP stops the command.

    Derives from `BaseException`, as `KeyboardInterrupt` does, so that `except Exception` does not
    catch it.

    Args:
        number: Number of the signal: SIGTERM or SIGHUP.

    Attributes:
        how: Description for a message: `terminated` or `terminal closed`.
        code: Exit code of the command: 128 plus the number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.how, self.code = _REASONS[signal.Signals(number)]


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP raise `Stopped`, and SIGINT `KeyboardInterrupt`, in the context.

    A signal that is ignored stays ignored (`nohup`), except SIGCHLD, which gets its default
    handler: a parent process that ignores it cannot wait for its worker processes. Restores the
    earlier handlers at the end. Does nothing outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {
        signal.SIGINT: signal.default_int_handler,
        **dict.fromkeys(_REASONS, _raise_stopped),
    }
    before = {number: signal.getsignal(number) for number in handlers}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, handler in handlers.items():
        if before[number] != signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _raise_stopped(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
