"""Writes files atomically, removes the temporary files of killed runs, and reads regular files.

A file is written under a temporary name (a partial file), which is locked, and renamed when
complete.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, BinaryIO

from image_gender_classifier.errors import OutputError
from image_gender_classifier.system import locking

_PARTIAL_PREFIX = ".igc-"
_PARTIAL_SUFFIX = ".partial"
_OWNER = os.urandom(4).hex()  # random, as process IDs repeat in containers and on other machines
_NUMBERS = count()  # no digest of a name, as names of pictures can be chosen to have the same one
_ABANDONED = 86_400  # seconds since the last change, on file systems without locks

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# O_NOFOLLOW: a symbolic link may point out of the folder. O_NONBLOCK: opening a pipe would block.
_OLD = os.O_NOFOLLOW | os.O_NONBLOCK
_MAX_CREATIONS = 5  # attempts: another run may remove the new file as a leftover
_RETRY_DELAY = 0.01  # seconds; another run removes a leftover in less


def write_atomic(path: Path, data: bytes) -> None:
    """Writes a file atomically: `path` has either its old or its new content, never a part.

    Args:
        path: The file; an existing one is replaced.
        data: The content.

    Raises:
        OutputError: The file cannot be written. The temporary file is removed.
    """
    try:
        replace_atomic(path, data)
    except OSError as error:
        raise make_write_error(path, error) from None


def replace_atomic(path: Path, data: bytes) -> None:
    """Writes a file atomically, as `write_atomic`, but raises the original `OSError`.

    Args:
        path: The file; an existing one is replaced.
        data: The content.

    Raises:
        OSError: The file cannot be written. The temporary file is removed.
    """
    partial = make_partial_path(path.parent)
    try:
        file = os.fdopen(create_partial(partial), "wb", buffering=0)
        with hold_lock_until_renamed(file):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file.fileno(), rest) :]
            # No fsync: it takes longer than classifying a picture. --resume detects files that a
            # power cut truncated and writes them again.
            file.close()
            partial.replace(path)
    except BaseException:  # Ctrl-C too
        remove_partial(partial)
        raise


def make_write_error(path: Path, error: OSError) -> OutputError:
    """Returns an `OutputError` that names the file or folder, the reason and a remedy."""
    return OutputError(
        f"{path}: cannot be written ({error.strerror or error}); check the folder, its permissions "
        "and the free space"
    )


@contextmanager
def hold_lock_until_renamed(file: IO[bytes]) -> Iterator[None]:
    """Holds the lock on a partial file until the context ends, even if the file is closed before.

    Close and rename the file inside the context: some network file systems report a full disk only
    on close, and without the lock another run would remove the file as a leftover.

    Args:
        file: The open, locked partial file; it is closed at the end of the context at the latest.
    """
    with file:
        locked = os.dup(file.fileno())
        try:
            yield
        finally:
            os.close(locked)


def make_partial_path(folder: Path) -> Path:
    """Returns a temporary path in a folder, another one at each call and in each process."""
    return folder / f"{_PARTIAL_PREFIX}{_OWNER}-{next(_NUMBERS):08x}{_PARTIAL_SUFFIX}"


def create_partial(partial: Path) -> int:
    """Creates and locks a partial file, replacing an earlier file or symbolic link of that name.

    If the file system does not support locks, the file is not locked.

    Args:
        partial: The temporary path, as `make_partial_path` returns it.

    Returns:
        A file descriptor, open for writing; closing it releases the lock.

    Raises:
        OSError: The file cannot be created.
        ValueError: The encoding of the locale lacks a character of the name.
    """
    for _ in range(_MAX_CREATIONS):
        try:
            file = os.open(partial, _NEW, 0o666)
        except FileExistsError:  # another run is about to remove that of the last attempt
            partial.unlink(missing_ok=True)
            file = os.open(partial, _NEW, 0o666)
        # Before the file is locked, another run may remove it as a leftover.
        if locking.try_lock(file) != "taken" and os.path.lexists(partial):
            break
        os.close(file)
        time.sleep(_RETRY_DELAY)
    else:
        raise OSError(errno.EBUSY, "other runs keep removing the temporary file")
    return file


def open_regular_file(path: Path) -> BinaryIO:
    """Opens a regular file for reading.

    Returns:
        The open file, in binary mode.

    Raises:
        OSError: `path` cannot be opened, is a symbolic link or is not a regular file.
    """
    return os.fdopen(_open_descriptor(path)[0], "rb")


def read_regular_file(path: Path, max_bytes: int) -> bytes:
    """Reads the beginning of a regular file in a single unbuffered read, which is fast.

    A network file system may return fewer bytes; callers must treat that as a truncated file.

    Args:
        path: The file.
        max_bytes: Maximum number of bytes to read.

    Returns:
        The first `max_bytes` bytes, or the whole file if it is shorter.

    Raises:
        OSError: `path` cannot be read, is a symbolic link or is not a regular file.
    """
    file, size = _open_descriptor(path)
    try:
        return os.read(file, min(size, max_bytes))
    finally:
        os.close(file)


def _open_descriptor(path: Path, mode: int = os.O_RDONLY) -> tuple[int, int]:
    """Opens a regular file; returns its file descriptor and its size in bytes.

    Args:
        path: The file.
        mode: Access mode, as for `os.open`.

    Raises:
        OSError: As `open_regular_file`.
    """
    file = os.open(path, mode | _OLD)
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file")
    return file, status.st_size


def remove_partial(partial: Path) -> None:
    """Removes a partial file; ignores errors, such as a disk that became read-only."""
    with suppress(OSError, ValueError):  # ValueError: the locale lacks a character of the name
        partial.unlink()


def remove_leftovers(folder: Path) -> None:
    """Removes the partial files that killed runs left in a folder; ignores errors."""
    for path in folder.glob(f"{_PARTIAL_PREFIX}*{_PARTIAL_SUFFIX}"):
        with suppress(OSError):
            _remove_if_abandoned(path)


def _remove_if_abandoned(partial: Path) -> None:
    """Removes a partial file, unless a process on any machine is still writing it.

    A process that writes a partial file holds its lock. On file systems without locks, a file is
    abandoned if it has not changed for a day.

    Raises:
        OSError: The file cannot be opened or removed, or is not a regular file.
    """
    try:
        file, _ = _open_descriptor(partial, os.O_RDWR)  # NFS: locks need write access
    except PermissionError:
        file, _ = _open_descriptor(partial)
    try:
        locked = locking.try_lock(file)
        age = time.time() - os.fstat(file).st_mtime
        if locked == "acquired" or (locked == "unsupported" and age > _ABANDONED):
            partial.unlink()  # while it is locked, so that `create_partial` notices
    finally:
        os.close(file)
