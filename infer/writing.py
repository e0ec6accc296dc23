"""Whole files or none: each is written aside in its own folder, then renamed."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from image_gender_classifier.errors import OutputError

_PARTIAL_PREFIX = ".igc-"
_PARTIAL_SUFFIX = ".partial"


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that nobody ever sees half of it.

    Raises:
        OutputError: It cannot be written; nothing is left behind.
    """
    partial = partial_path(path)
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None


def partial_path(path: Path) -> Path:
    """Where a file is written before it takes its name."""
    digest = zlib.crc32(os.fsencode(path.name))
    return path.with_name(f"{_PARTIAL_PREFIX}{os.getpid()}-{digest:08x}{_PARTIAL_SUFFIX}")


def remove_leftovers(folder: Path) -> None:
    """Removes what an earlier run, killed while it wrote, left in a folder."""
    for path in folder.glob(f"{_PARTIAL_PREFIX}*{_PARTIAL_SUFFIX}"):
        path.unlink(missing_ok=True)
