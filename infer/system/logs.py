"""The package's logger, `image_gender_classifier`.

To import `logging` takes several milliseconds. The functions here do nothing until `--verbose` or
a host application imports it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from image_gender_classifier.system.console import say

NAME = "image_gender_classifier"


def info(text: str, *values: object) -> None:
    """Logs a step of the run; `values` replace the placeholders of `text`, as in `logging`."""
    if "logging" in sys.modules:
        import logging

        logging.getLogger(NAME).info(text, *values)


def debug(text: str, *values: object) -> None:
    """Logs details of a step; see `info`."""
    if "logging" in sys.modules:
        import logging

        logging.getLogger(NAME).debug(text, *values)


@contextmanager
def shown(prefix: str, details: bool = False) -> Iterator[None]:
    """Prints log messages on standard error for a while.

    Args:
        prefix: Starts each line.
        details: Print debug messages too.
    """
    import logging

    class Printer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(f"{prefix}{record.getMessage()}", sys.stderr)

    logger, handler, before = logging.getLogger(NAME), Printer(), logging.getLogger(NAME).level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if details else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
