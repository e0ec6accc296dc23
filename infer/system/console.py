"""Prints lines; a closed or full standard stream does not end a run."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO


def say(text: str, stream: TextIO | None) -> None:
    """Prints a line; `stream` is None if the parent process closed it."""
    if stream is None:
        return
    try:
        print(text.encode("utf-8", "replace").decode(), file=stream, flush=True)
    except OSError:
        _redirect_to_null(stream)


def _redirect_to_null(stream: TextIO) -> None:
    """Redirects a stream to /dev/null, or flushing its buffer would fail when Python exits."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
