"""Lines for whoever listens: a closed or full standard stream must not end a run."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO


def say(text: str, stream: TextIO | None) -> None:
    """Prints a line; the stream is None where the caller has closed it."""
    if stream is None:
        return
    try:
        print(text.encode("utf-8", "replace").decode(), file=stream, flush=True)
    except OSError:
        _silence(stream)


def _silence(stream: TextIO) -> None:
    """Lets a stream lead nowhere: what it still holds would fail again when Python exits."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
