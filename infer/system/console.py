"""Prints lines to a standard stream, even if it is closed or cannot be written."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO


def say(text: str, stream: TextIO | None) -> None:
    """Prints a line; does nothing if the stream is closed.

    Args:
        text: The line; surrogates are replaced.
        stream: `sys.stdout` or `sys.stderr`, which is None if it was closed at the start.
    """
    if stream is None:
        return
    try:
        print(text.encode("utf-8", "replace").decode(), file=stream, flush=True)
    except OSError:
        _redirect_to_null(stream)


def _redirect_to_null(stream: TextIO) -> None:
    """Redirects a stream to /dev/null, because flushing it would fail when Python exits."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
