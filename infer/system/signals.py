"""Signals that end a command, as exceptions, so that it can say how to go on and tidy up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_HOW = {signal.SIGTERM: ("terminated", 143)}
if hasattr(signal, "SIGHUP"):  # not on Windows
    _HOW[signal.SIGHUP] = ("terminal closed", 129)


class Stopped(BaseException):
    """A signal arrived that ends the command; a BaseException as KeyboardInterrupt is.

    Attributes:
        how: What has happened, in words.
        code: The exit code for it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.how, self.code = _HOW[signal.Signals(number)]


@contextmanager
def stopping_raises() -> Iterator[None]:
    """Turns signals that end the command into exceptions for a while; only a main thread may.

    That a child has ended is not ignored meanwhile: it could not be waited for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGINT: signal.default_int_handler, **dict.fromkeys(_HOW, _stop)}
    before = {number: signal.getsignal(number) for number in handlers}
    if hasattr(signal, "SIGCHLD"):
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, handler in handlers.items():
        if before[number] != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
