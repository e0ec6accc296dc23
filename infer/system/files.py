"""Reads regular files with a size limit; refuses pipes and devices."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# O_NONBLOCK: opening a pipe without a writer must not block.
OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

MAX_DOCUMENT_BYTES = 2**28
"""Size limit of tables, manifests and training recipes, in bytes; model files have their own."""


def read_document(path: Path, max_bytes: int = MAX_DOCUMENT_BYTES) -> bytes:
    """Returns the content of a regular file, such as a table, a manifest or a model.

    Args:
        path: The file.
        max_bytes: Maximum size in bytes.

    Raises:
        OSError: The file cannot be read, is not a regular file or is larger than `max_bytes`.
        ValueError: The path contains a NUL character.
    """
    file = os.open(path, OPEN_FLAGS)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if status.st_size > max_bytes:
            raise OSError(errno.EFBIG, f"larger than {max_bytes:,} bytes", str(path))
        with os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(file)
