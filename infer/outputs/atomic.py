"""Whole files or none: each is written aside in its own folder, then renamed."""

from __future__ import annotations

import errno
import os
import stat
import zlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from image_gender_classifier.errors import OutputError
from image_gender_classifier.system.locking import lock

_PARTIAL_PREFIX = ".igc-"
_PARTIAL_SUFFIX = ".partial"

# O_NOFOLLOW: a link leads out of the folder. O_NONBLOCK: opening a pipe would wait for ever.
# O_BINARY: for Windows.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OLD = os.O_RDONLY | getattr(os, "O_BINARY", 0)
for _name in ("O_NOFOLLOW", "O_NONBLOCK"):
    _OLD |= getattr(os, _name, 0)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that nobody ever sees half of it.

    Raises:
        OutputError: It cannot be written; nothing is left behind.
    """
    partial = partial_path(path)
    try:
        with os.fdopen(create(partial), "wb") as file:
            file.write(data)
        # Not synchronised with the disk first: that would take longer than judging the picture.
        # What a power cut leaves empty, --resume finds not to be whole and makes again.
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


def create(partial: Path) -> int:
    """Opens a new partial file, locked; what stands in its place, such as a link, goes."""
    with suppress(FileNotFoundError):
        partial.unlink()
    file = os.open(partial, _NEW, 0o666)
    lock(file)
    return file


def open_written(path: Path) -> BinaryIO:
    """Opens what an earlier run may have written, to read it.

    Raises:
        OSError: There is no such file; or it is a link, pipe or the like, which no run has made.
    """
    return os.fdopen(_open_old(path)[0], "rb")


def read_written(path: Path, most: int) -> bytes:
    """Reads at most that many bytes of what an earlier run may have written.

    A run that finds everything done does little else, so no buffer is made for it. A network's
    file system may give less than there is, which then looks like a damaged file.

    Raises:
        OSError: As `open_written`.
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
    """Removes a partial file as well as may be; a disk turned read-only refuses even that."""
    with suppress(OSError):
        partial.unlink()


def remove_leftovers(folder: Path) -> None:
    """Removes what earlier runs, killed while they wrote, left in a folder."""
    for path in folder.glob(f"{_PARTIAL_PREFIX}*{_PARTIAL_SUFFIX}"):
        writer = path.name.removeprefix(_PARTIAL_PREFIX).partition("-")[0]
        if writer.isdecimal() and _is_left(path, int(writer)):
            path.unlink(missing_ok=True)


def _is_left(partial: Path, writer: int) -> bool:
    if writer != os.getpid():
        return not _is_running(writer)
    # A table of this run, or what an earlier process of the same number left: in a container
    # every run has the same one.
    try:
        with open_written(partial) as file:
            return lock(file.fileno()) == "ours"
    except OSError:
        return False


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks, sends nothing
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
