"""Copies pictures from streams to files, which the worker processes can read, and read again."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from image_gender_classifier.errors import UsageError

STANDARD_INPUT = "-"
"""The path that stands for standard input."""

_OF_PROCESS = ("/dev/", "/proc/")  # /dev/stdin and the like are other files in another process
_PIECE = 2**18  # bytes


def is_stream(path: str, status: os.stat_result) -> bool:
    """Returns whether a path is a pipe, or a file that only this process has.

    Args:
        path: The path, such as `/dev/fd/63`.
        status: Its status, as from `os.stat`.
    """
    is_file = stat.S_ISREG(status.st_mode) and path.startswith(_OF_PROCESS)
    return is_file or stat.S_ISFIFO(status.st_mode)


def open_standard_input() -> BinaryIO:
    """Opens standard input a second time, without a buffer; reading it waits for data.

    Raises:
        OSError: Standard input is closed.
    """
    stream = os.fdopen(os.dup(0), "rb", buffering=0)
    os.set_blocking(stream.fileno(), True)  # the parent process may have changed it
    return stream


def store_stream(path: str, stack: ExitStack, max_bytes: int) -> str:
    """Copies a picture from a stream to a temporary file.

    Args:
        path: A path, or `STANDARD_INPUT`.
        stack: Removes the file when it is closed.
        max_bytes: Limit on the size of a picture. If there are more bytes, one more than that is
            copied, so that reading the file fails as it does for other files.

    Returns:
        The path of the file.

    Raises:
        UsageError: Standard input is closed or a terminal, or the stream cannot be read or stored.
    """
    is_input = path == STANDARD_INPUT
    if is_input and sys.stdin is None:  # its descriptor leads to /dev/null now
        raise UsageError(f"{path}: standard input is closed; redirect a picture to it")
    try:
        with open_standard_input() if is_input else Path(path).open("rb", buffering=0) as stream:
            if stream.isatty():
                raise UsageError(f"{path}: standard input is a terminal; redirect a picture to it")
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="igc-"))) / "picture"
            with copy.open("wb") as file:
                missing = max_bytes + 1
                while missing and (piece := stream.read(min(missing, _PIECE))):
                    missing -= file.write(piece)
    except OSError as error:
        raise UsageError(
            f"{path}: the stream cannot be read and stored ({error.strerror}); check it, and the "
            "free space in TMPDIR"
        ) from None
    return str(copy)
