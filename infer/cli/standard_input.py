"""Copies the picture on standard input to a file, which the worker processes can read again."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from image_gender_classifier.errors import UsageError

_INPUT = 0  # file descriptor
_PIECE = 2**18  # bytes


def store_standard_input(stack: ExitStack, max_bytes: int) -> str:
    """Copies standard input to a temporary file.

    Args:
        stack: Removes the file when it is closed.
        max_bytes: Limit on the size of a picture. If there are more bytes, one more than that is
            copied, so that reading the file fails as it does for other files.

    Returns:
        The path of the file.

    Raises:
        UsageError: Standard input is a terminal, or cannot be read or stored.
    """
    if os.isatty(_INPUT):
        raise UsageError("-: standard input is a terminal; redirect a picture to it")
    try:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="igc-")))
        path = folder / "picture"
        with path.open("wb") as file:
            missing = max_bytes + 1
            while missing and (piece := os.read(_INPUT, min(missing, _PIECE))):
                file.write(piece)
                missing -= len(piece)
    except OSError as error:
        raise UsageError(
            f"-: standard input cannot be read and stored ({error.strerror}); check it, and the "
            "free space in TMPDIR"
        ) from None
    return str(path)
