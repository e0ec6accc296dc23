"""Hides the messages of Ray and its libraries; the user sees only those of this program."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TextIO

from image_gender_classifier.outputs.escaping import escape_message
from image_gender_classifier.system.console import print_line

PROGRAM = "image-gender-ray"


class Console(NamedTuple):
    """The streams for the messages of this program.

    Attributes:
        out: Standard output; None if it is closed.
        err: Standard error; None if it is closed.
    """

    out: TextIO | None
    err: TextIO | None

    def print(self, text: str) -> None:
        """Prints a line to standard output."""
        print_line(text, self.out)

    def say(self, text: str) -> None:
        """Prints a message to standard error, prefixed with the name of the program."""
        print_line(f"{PROGRAM}: {escape_message(text)}", self.err)


@contextmanager
def open_console(debug: bool) -> Iterator[Console]:
    """Redirects the standard output and error of this process and those that it starts.

    Args:
        debug: Whether to redirect both to standard error instead of /dev/null.

    Yields:
        The streams as they were before.
    """
    _flush_streams()
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.dup(2) if debug else os.open(os.devnull, os.O_WRONLY)
    out = _copy_stream(sys.stdout, saved[0])
    err = _copy_stream(sys.stderr, saved[1])
    try:
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        if debug:
            yield Console(out, err)
            return
        logging.disable(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield Console(out, err)
    finally:
        logging.disable(logging.NOTSET)
        _flush_streams()
        for stream, file in enumerate(saved, 1):
            os.dup2(file, stream)
        for file in (*saved, nowhere):
            os.close(file)


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.flush()


def _copy_stream(stream: TextIO | None, file: int) -> TextIO | None:
    """Returns a stream like another one that writes to a file descriptor, which stays open."""
    if stream is None:
        return None
    return os.fdopen(file, "w", encoding=stream.encoding, errors=stream.errors, closefd=False)
