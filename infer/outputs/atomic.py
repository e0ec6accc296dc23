"""Atomic writes: each file is written under a temporary name and renamed when complete."""

from __future__ import annotations

import errno
import os
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from image_gender_classifier.errors import OutputError
from image_gender_classifier.system.locking import lock

_PARTIAL_PREFIX = ".igc-"
_PARTIAL_SUFFIX = ".partial"
_OWNER = os.urandom(4).hex()  # process numbers repeat: in containers, and on other machines
_ABANDONED = 86_400  # seconds without a change, where the file system has no locks

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# O_NOFOLLOW: a link may lead out of the folder. O_NONBLOCK: opening a pipe would block.
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def write_whole(path: Path, data: bytes) -> None:
    """Writes a whole file or none.

    Raises:
        OutputError: The file cannot be written; the partial file is removed.
    """
    try:
        replace_whole(path, data)
    except OSError as error:
        raise cannot_write(path, error) from None


def replace_whole(path: Path, data: bytes) -> None:
    """Writes a whole file or none, as `write_whole`.

    Raises:
        OSError: The file cannot be written; the partial file is removed.
    """
    partial = partial_path(path)
    try:
        file = os.fdopen(create(partial), "wb")
        with closed_and_locked(file):
            file.write(data)
            # No fsync: it takes longer than classifying a picture. After a power cut, --resume
            # finds incomplete files and writes them again.
            file.close()
            partial.replace(path)
    except BaseException:  # Ctrl-C too
        discard(partial)
        raise


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Returns the error for a file that cannot be written."""
    return OutputError(f"{path}: cannot be written ({error.strerror})")


@contextmanager
def closed_and_locked(file: BinaryIO) -> Iterator[None]:
    """Keeps the lock on a partial file until it has its name, though it is closed before.

    Without the lock, another run would take it for a leftover. It must be closed before, as some
    network file systems report a full disk only then.
    """
    with file:
        locked = os.dup(file.fileno())
        try:
            yield
        finally:
            os.close(locked)


def partial_path(path: Path) -> Path:
    """Returns the temporary name of a file; no other process gives it the same one."""
    digest = zlib.crc32(os.fsencode(path.name))
    return path.with_name(f"{_PARTIAL_PREFIX}{_OWNER}-{digest:08x}{_PARTIAL_SUFFIX}")


def create(partial: Path) -> int:
    """Creates and locks a partial file; removes an earlier file or link of that name."""
    with suppress(FileNotFoundError):
        partial.unlink()
    file = os.open(partial, _NEW, 0o666)
    lock(file)
    return file


def open_written(path: Path) -> BinaryIO:
    """Opens an output file of an earlier run for reading.

    Raises:
        OSError: There is no regular file of that name; links are not followed.
    """
    return os.fdopen(_open_old(path)[0], "rb")


def read_written(path: Path, most: int) -> bytes:
    """Reads an output file of an earlier run without a buffer, which is faster.

    A network file system may return fewer bytes, which then look like a damaged file.

    Args:
        path: The file.
        most: Maximum number of bytes.

    Raises:
        OSError: There is no regular file of that name; links are not followed.
    """
    file, size = _open_old(path)
    try:
        return os.read(file, min(size, most))
    finally:
        os.close(file)


def _open_old(path: Path) -> tuple[int, int]:
    file = os.open(path, _OLD)
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "is not a regular file")
    return file, status.st_size


def discard(partial: Path) -> None:
    """Removes a partial file; ignores errors, such as a disk that is now read-only."""
    with suppress(OSError):
        partial.unlink()


def remove_leftovers(folder: Path) -> None:
    """Removes partial files that killed runs left in a folder."""
    for path in folder.glob(f"{_PARTIAL_PREFIX}*{_PARTIAL_SUFFIX}"):
        if _is_left(path):
            path.unlink(missing_ok=True)


def _is_left(partial: Path) -> bool:
    """Says whether no run, on any machine, is writing a partial file: its writer has locked it."""
    try:
        with open_written(partial) as file:
            held = lock(file.fileno())
            if held == "impossible":
                return time.time() - os.fstat(file.fileno()).st_mtime > _ABANDONED
            return held == "ours"
    except OSError:
        return False
