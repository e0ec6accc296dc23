"""Raises an exception when a signal stops the command, so that it can clean up."""

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
        number: Number of the signal.

    Attributes:
        how: Description for a message, such as `terminated`.
        code: Exit code of the command.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.how, self.code = _REASONS[signal.Signals(number)]


@contextmanager
def stopping_raises() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP raise `Stopped` while the context is open.

    SIGCHLD gets its default handler, because worker processes cannot be waited for if it is
    ignored. Does nothing outside the main thread.
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
        if before[number] != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _raise_stopped(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
