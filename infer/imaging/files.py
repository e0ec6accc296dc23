"""Reads a picture file's bytes, and refuses what is no picture before reading much of it.

OpenCV's own `imread` cannot open every path (on Windows only those of the code page), waits for
ever on a pipe and says nothing about the cause when it fails. Reading the bytes here gives one
plain sentence for each way in which a path can be wrong.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.headers import read_header, require_format
from image_gender_classifier.imaging.limits import USUAL, Limits
from image_gender_classifier.system.files import OPEN_FLAGS

EMPTY = "The file is empty; copy it again from its source."
TOO_BIG = "The picture does not fit into memory; save a smaller version of it."
_FOLDER = "This is a folder, not a picture; give a picture file."
_NOT_REGULAR = "This is not a regular file but a pipe, socket or device; give a picture file."

# Enough for the size in nearly every header, and for a whole small picture.
_FIRST_BYTES = 65_536


def read_bytes(path: Path, limits: Limits = USUAL) -> bytes:
    """Returns all bytes of a regular file that begins like a picture within the limits.

    Raises:
        UnreadablePicture: With one sentence that says why and what to do, without the path.
    """
    try:
        file = os.open(path, OPEN_FLAGS)
        try:
            size = _check_kind(os.fstat(file))
            limits.check_bytes(size)
            if size > _FIRST_BYTES:
                _check_start(os.read(file, _FIRST_BYTES), limits)
                os.lseek(file, 0, os.SEEK_SET)
            data = os.read(file, size)
            # One call gives it all on Linux, but a network file system may give less.
            while len(data) < size and (more := os.read(file, size - len(data))):
                data += more
            return data
        finally:
            os.close(file)
    except (OSError, ValueError, MemoryError) as error:  # ValueError: a NUL in the path
        raise UnreadablePicture(_explain(error)) from None


def _check_kind(status: os.stat_result) -> int:
    """Returns a regular file's size in bytes; refuses anything else."""
    if stat.S_ISDIR(status.st_mode):
        raise UnreadablePicture(_FOLDER)
    if not stat.S_ISREG(status.st_mode):
        raise UnreadablePicture(_NOT_REGULAR)
    if status.st_size == 0:
        raise UnreadablePicture(EMPTY)
    return status.st_size


def _check_start(first_bytes: bytes, limits: Limits) -> None:
    """Refuses a large file that is no picture, or a picture of absurd size."""
    require_format(first_bytes)
    try:
        header = read_header(first_bytes)
    except UnreadablePicture:
        return  # the header may be longer than this; the whole file will tell
    limits.check_size(header)


def _explain(error: Exception) -> str:
    """Says why a file could not be read, and what to do."""
    if isinstance(error, MemoryError):
        return TOO_BIG
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "There is no such file (any more); check the path."
    if isinstance(error, PermissionError):
        return "The file may not be read; give yourself read permission for it."
    if isinstance(error, OSError) and error.errno == errno.ENXIO:  # opening a socket
        return _NOT_REGULAR
    reason = (error.strerror if isinstance(error, OSError) else None) or "impossible path"
    return f"The file could not be read ({reason}); check the path and the disk."
