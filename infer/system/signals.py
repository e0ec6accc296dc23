"""Turns signals that end the command into exceptions, so that it can clean up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_HOW = {signal.SIGTERM: ("terminated", 143), signal.SIGHUP: ("terminal closed", 129)}


class Stopped(BaseException):
    """A signal ends the command; a `BaseException` like `KeyboardInterrupt`.

    Attributes:
        how: What happened, for a message.
        code: The exit code.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.how, self.code = _HOW[signal.Signals(number)]


@contextmanager
def stopping_raises() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP raise `Stopped` for a while; does nothing outside the main thread.

    SIGCHLD gets its default handler: if it were ignored, workers could not be waited for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGINT: signal.default_int_handler, **dict.fromkeys(_HOW, _stop)}
    before = {number: signal.getsignal(number) for number in handlers}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, handler in handlers.items():
        if before[number] != signal.SIG_IGN:  # such as by nohup
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
