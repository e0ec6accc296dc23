"""Logs to `image_gender_classifier`, the logger of the package.

Importing `logging` takes several milliseconds, so `info` and `debug` do nothing unless it has been
imported already: by `--verbose`, by the Python API or by the host program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NAME = "image_gender_classifier"


def info(text: str, *values: object) -> None:
    """Logs a step of the run.

    Args:
        text: Message with `%`-style placeholders, as in `logging`.
        values: Values for the placeholders.
    """
    if "logging" in sys.modules:
        import logging

        logging.getLogger(NAME).info(text, *values)


def debug(text: str, *values: object) -> None:
    """Logs a detail of a step (`--debug`); arguments as for `info`."""
    if "logging" in sys.modules:
        import logging

        logging.getLogger(NAME).debug(text, *values)


@contextmanager
def print_logs(show: Callable[[str], None], details: bool = False) -> Iterator[None]:
    """Prints the package's log messages while the context is open.

    Args:
        show: Prints a message.
        details: Whether to print debug messages too.
    """
    import logging

    class Printer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            show(record.getMessage())

    logger, handler, before = logging.getLogger(NAME), Printer(), logging.getLogger(NAME).level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if details else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
