"""Reads the content of a picture file, and rejects other files early.

OpenCV's `imread` blocks on a pipe and reports no reason for a failure. This module does not block,
and has a message for each kind of failure.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.formats import require_format
from image_gender_classifier.imaging.headers import read_header
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS, Limits
from image_gender_classifier.system.files import OPEN_FLAGS

EMPTY = "the file is empty; copy it again from its source"
OUT_OF_MEMORY = (
    "not enough memory for the picture; free some memory, or use fewer --workers or a lower"
    " --max-pixels (in Python workers and max_pixels)"
)
_FOLDER = "a folder, not a picture; give a picture file"
_NOT_REGULAR = "not a regular file but a pipe, socket or device; give a picture file"

_FILE_ERRORS = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM),
        *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
    }
)
"""Error numbers (errno) of a file or its path. All others come from the disk, the network or the
system, and the file may be intact."""

_SOCKET_ERRORS = frozenset({errno.ENXIO, errno.EOPNOTSUPP})  # of opening one: Linux, macOS

NO_SUCH_FILE = "no such file; check the path"

# A large file is checked by its first bytes, into which nearly every header fits. Most files are
# pictures, and for a small one the check would only parse the header twice.
_FIRST_BYTES, _UNCHECKED_BYTES = 2**16, 2**20


def read_bytes(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Reads the content of a picture file.

    If a file of more than 1 MiB is not a picture or has too many pixels, it is rejected by its
    first 64 KiB, before the rest is read. Smaller files are read without these two checks;
    `decoding.decode` makes them for every file.

    Args:
        path: The file; must be a regular file or a symbolic link to one.
        limits: Decompression-bomb limits.

    Returns:
        The content of the file.

    Raises:
        UnreadablePicture: The file cannot be read, is empty, is not a picture or exceeds a limit.
            The message has the reason and the remedy, but not `path`.
        Unfinished: The disk, the network or the system prevents reading (see `_FILE_ERRORS`), or
            memory is short.
    """
    try:
        file = _open(path)
        try:
            size = _check_regular_file(os.fstat(file))
            limits.check_bytes(size)
            if size > _UNCHECKED_BYTES:
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
        if isinstance(error, OSError) and error.errno not in _FILE_ERRORS:
            raise Unfinished(
                f"the file cannot be read at present ({error.strerror}); check the disk, the "
                "network and the limit of open files"
            ) from None
        raise UnreadablePicture(_describe_error(error)) from None


def _open(path: str | os.PathLike[str]) -> int:
    """Opens a file without waiting for the other end of a pipe; returns its descriptor.

    Raises:
        OSError, ValueError: The file cannot be opened.
        UnreadablePicture: It is a socket, or a device that does not exist.
    """
    try:
        return os.open(path, OPEN_FLAGS)
    except OSError as error:
        if error.errno in _SOCKET_ERRORS:
            raise UnreadablePicture(_NOT_REGULAR) from None
        raise


def is_parent_missing(path: str | os.PathLike[str]) -> bool:
    """Returns whether the folder of a picture cannot be listed, or is empty as after an unmount.

    Args:
        path: Path of the picture.
    """
    try:
        with os.scandir(Path(path).parent) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def _check_regular_file(status: os.stat_result) -> int:
    """Returns the size of a regular file in bytes; rejects other files.

    Raises:
        UnreadablePicture: The file is not a regular file, or is empty.
    """
    if stat.S_ISDIR(status.st_mode):
        raise UnreadablePicture(_FOLDER)
    if not stat.S_ISREG(status.st_mode):
        raise UnreadablePicture(_NOT_REGULAR)
    if status.st_size == 0:
        raise UnreadablePicture(EMPTY)
    return status.st_size


def _check_start(first_bytes: bytes, limits: Limits) -> None:
    """Rejects a file by its first bytes, before the rest is read: not a picture, or too large.

    The size is checked only for formats that OpenCV decodes, and only if the header is complete;
    `decoding` checks all others once the whole file is read.

    Raises:
        UnreadablePicture: The format is unknown or not supported, or there are too many pixels.
    """
    kind = require_format(first_bytes)
    if kind.decoder != "opencv":
        return
    try:
        header = read_header(first_bytes, kind)
    except UnreadablePicture:
        return  # the header may be longer than the first bytes
    limits.check_size(header)


def _describe_error(error: Exception) -> str:
    """Returns the message for an `OSError` or `ValueError` of opening or reading a picture file."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return NO_SUCH_FILE
    if isinstance(error, PermissionError):
        return "permission to read the file is denied; make it readable (chmod u+r)"
    reason = (error.strerror if isinstance(error, OSError) else None) or "invalid path"
    return f"the file cannot be read ({reason}); check the path and the disk"
