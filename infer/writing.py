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
    """Removes what earlier runs, killed while they wrote, left in a folder."""
    for path in folder.glob(f"{_PARTIAL_PREFIX}*{_PARTIAL_SUFFIX}"):
        writer = path.name.removeprefix(_PARTIAL_PREFIX).partition("-")[0]
        if writer.isdecimal() and not _is_running(int(writer)):
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)  # asks, sends nothing
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
