"""Reads the bytes of a picture file, and rejects other files early.

OpenCV's `imread` blocks on a pipe and gives no reason for a failure. Reading the file here gives a
clear message for each kind of failure.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.formats import require_format
from image_gender_classifier.imaging.headers import read_header
from image_gender_classifier.imaging.limits import USUAL, Limits
from image_gender_classifier.system.files import OPEN_FLAGS

EMPTY = "the file is empty; copy it again from its source"
OUT_OF_MEMORY = (
    "not enough memory for the picture; free some memory, or use fewer --workers or a lower"
    " --max-pixels"
)
_FOLDER = "is a folder, not a picture; give a picture file"
_NOT_REGULAR = "not a regular file but a pipe, socket or device; give a picture file"

_ENVIRONMENT_ERRORS = frozenset(
    {
        *(errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
        *(errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH),
    }
)
"""Errors of the disk, the network or the system that say nothing about the picture."""

NO_SUCH_FILE = "no such file; check the path"

# Enough for nearly every header, and for a whole small picture.
_FIRST_BYTES = 65_536


def read_bytes(path: Path, limits: Limits = USUAL) -> bytes:
    """Reads a regular file that starts with the header of a picture within the limits.

    Raises:
        UnreadablePicture: The message has reason and remedy, without the path.
        Unfinished: The environment prevents reading; the message is of the same form.
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
            # Network file systems may return less than the whole file.
            while len(data) < size and (more := os.read(file, size - len(data))):
                data += more
            return data
        finally:
            os.close(file)
    except (OSError, ValueError, MemoryError) as error:  # ValueError: a NUL in the path
        if isinstance(error, MemoryError):
            raise Unfinished(OUT_OF_MEMORY) from None
        if isinstance(error, OSError) and error.errno in _ENVIRONMENT_ERRORS:
            raise Unfinished(
                f"cannot read the file at present ({error.strerror}); check the disk, the network "
                "and the limit of open files"
            ) from None
        raise UnreadablePicture(_explain(error)) from None


def has_lost_folder(path: str | os.PathLike[str]) -> bool:
    """Returns whether the folder of a listed picture is gone, or empty as after an unmount."""
    try:
        with os.scandir(Path(path).parent) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def _check_kind(status: os.stat_result) -> int:
    """Returns the size of a regular file in bytes; rejects anything else."""
    if stat.S_ISDIR(status.st_mode):
        raise UnreadablePicture(_FOLDER)
    if not stat.S_ISREG(status.st_mode):
        raise UnreadablePicture(_NOT_REGULAR)
    if status.st_size == 0:
        raise UnreadablePicture(EMPTY)
    return status.st_size


def _check_start(first_bytes: bytes, limits: Limits) -> None:
    """Rejects a large file that is not a picture, and a picture that is too large.

    Pillow reads the headers of its formats from the whole file.
    """
    kind = require_format(first_bytes)
    if kind.decoder != "opencv":
        return
    try:
        header = read_header(first_bytes, kind)
    except UnreadablePicture:
        return  # the header may be longer; `decoding` reads it from the whole file
    limits.check_size(header)


def _explain(error: Exception) -> str:
    """Returns the message for an error of the operating system."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return NO_SUCH_FILE
    if isinstance(error, PermissionError):
        return "no permission to read the file; grant read permission"
    if isinstance(error, OSError) and error.errno == errno.ENXIO:  # opening a socket
        return _NOT_REGULAR
    reason = (error.strerror if isinstance(error, OSError) else None) or "invalid path"
    return f"cannot read the file ({reason}); check the path and the disk"
