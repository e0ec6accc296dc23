"""Reads regular files with a size limit; refuses pipes and devices."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# O_NONBLOCK: opening a pipe without a writer must not block.
OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

MOST_DOCUMENT = 2**28
"""Maximum size in bytes of a file that is neither a picture nor a model."""


def read_document(path: Path, most: int = MOST_DOCUMENT) -> bytes:
    """Returns the content of a regular file, such as a table, a manifest or a model.

    Args:
        path: The file.
        most: Maximum size in bytes.

    Raises:
        OSError: The file cannot be read, is not a regular file or is larger than `most`.
        ValueError: The path contains a NUL.
    """
    file = os.open(path, OPEN_FLAGS)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"larger than {most:,} bytes", str(path))
        with os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(file)
