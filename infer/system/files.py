"""Reads tables, manifests and models; refuses pipes and devices."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# O_NONBLOCK: opening a pipe without a writer would block.
OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

MOST_DOCUMENT = 2**28  # bytes


def read_document(path: Path, most: int = MOST_DOCUMENT) -> bytes:
    """Reads a regular file that is not a picture: a table, a manifest, a model.

    Args:
        path: The file.
        most: Maximum size in bytes.

    Raises:
        OSError: It cannot be read, is not a regular file, or is too large.
        ValueError: The path contains a NUL.
    """
    file = os.open(path, OPEN_FLAGS)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
        with os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(file)
