"""Whole files or none: each is written aside in its own folder, then renamed."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
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
        partial.replace(path)
    except BaseException as error:  # an interruption must not leave a part behind either
        discard(partial)
        if isinstance(error, OSError):
            raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
        raise


def partial_path(path: Path) -> Path:
    """Where a file is written before it takes its name."""
    digest = zlib.crc32(os.fsencode(path.name))
    return path.with_name(f"{_PARTIAL_PREFIX}{os.getpid()}-{digest:08x}{_PARTIAL_SUFFIX}")


def discard(partial: Path) -> None:
    """Removes a partial file as well as may be; a disk turned read-only refuses even that."""
    with suppress(OSError):
        partial.unlink()


def remove_leftovers(folder: Path) -> None:
    """Removes what an earlier run, killed while it wrote, left in a folder."""
    own = f"{_PARTIAL_PREFIX}{os.getpid()}-"  # such as a table's that is being written
    for path in folder.glob(f"{_PARTIAL_PREFIX}*{_PARTIAL_SUFFIX}"):
        if not path.name.startswith(own):
            path.unlink(missing_ok=True)
