"""Prints lines to standard output or standard error, which may be closed or a broken pipe."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO

_STANDARD = 3  # file descriptors: input, output and error


def open_missing_streams() -> None:
    """Opens /dev/null for each standard stream (file descriptors 0 to 2) that is closed.

    Otherwise the next opened file gets the descriptor, and libraries print into it.
    """
    with suppress(OSError):
        while (file := os.open(os.devnull, os.O_RDWR)) < _STANDARD:
            os.set_inheritable(file, True)
        os.close(file)


def print_line(text: str, stream: TextIO | None) -> None:
    """Prints a line and flushes the stream.

    If the stream cannot be written, such as a broken pipe, this and later lines are discarded.

    Args:
        text: The line without its newline; lone surrogates are printed as `?`.
        stream: `sys.stdout` or `sys.stderr`. Nothing is printed if it is None, because its file
            descriptor was closed when Python started.
    """
    if stream is None:
        return
    try:
        print(text.encode("utf-8", "replace").decode(), file=stream, flush=True)
    except OSError:
        _redirect_to_null(stream)


def write_bytes(data: bytes, stream: TextIO) -> None:
    """Writes bytes at once.

    Args:
        data: The bytes.
        stream: `sys.stdout` or `sys.stderr`.

    Raises:
        OSError: The stream cannot be written, such as a broken pipe; what follows is discarded.
    """
    try:
        stream.buffer.write(data)
        stream.buffer.flush()
    except OSError:
        _redirect_to_null(stream)
        raise


def _redirect_to_null(stream: TextIO) -> None:
    """Redirects the stream's file descriptor to /dev/null.

    Otherwise Python prints an error at exit, when it flushes the stream again.
    """
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
