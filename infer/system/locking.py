"""Locks files and folders with `flock`.

A run holds an exclusive lock on its output folders. Runs of shards share these locks, and each
holds an exclusive lock on a file of its own in them. A review locks a file next to the corrections.

The kernel releases a lock when the process ends, so a killed process leaves no stale lock. Some
network file systems do not support locks; nothing is locked there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from image_gender_classifier.errors import UsageError

LockResult = Literal["acquired", "taken", "unsupported"]


_LOCK_FILE = ".igc-shard-{}.lock"
_LOCK_FILE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


@contextmanager
def lock_folders(folders: Sequence[Path], shard: str | None = None) -> Iterator[None]:
    """Locks folders against other runs while the context is open.

    A folder stays unlocked if it cannot be opened for reading or its file system does not support
    locks.

    Args:
        folders: Existing folders; duplicates are allowed.
        shard: Name of the shard, such as `3-of-16`, to lock the folders against other runs of it
            and against runs without a shard; None to lock them against all runs.

    Raises:
        UsageError: Another run has locked one of the folders.
    """
    with ExitStack() as stack:
        known = set()
        for folder in folders:
            try:
                file = os.open(folder, os.O_RDONLY)
            except OSError:  # no permission to open it
                continue
            stack.callback(os.close, file)  # closing releases the lock
            status = os.fstat(file)
            place = (status.st_dev, status.st_ino)
            if place in known:  # already locked here
                continue
            known.add(place)
            if try_lock(file, shared=shard is not None) == "taken":
                raise UsageError(
                    f"{folder}: another run is writing to this folder; wait until it ends, or "
                    "choose another folder"
                )
            if shard is not None:
                taken = (
                    f"{folder}: another run is writing shard {shard} to this folder; wait until it "
                    "ends, or give another shard"
                )
                stack.enter_context(hold_lock_file(folder / _LOCK_FILE.format(shard), taken))
        yield


@contextmanager
def hold_lock_file(path: Path, taken: str) -> Iterator[None]:
    """Holds a lock file while the context is open, and removes it at the end.

    Nothing is locked if the file cannot be created.

    Args:
        path: The lock file; `system.junk` knows names that start with `.igc-`.
        taken: The message if another process holds it.

    Raises:
        UsageError: Another process holds it.
    """
    file = _open_lock_file(path, taken)
    try:
        yield
    finally:
        if file is not None:
            with suppress(OSError):
                if _is_at(path, file):
                    path.unlink()  # while it is locked
            os.close(file)


def _open_lock_file(path: Path, taken: str) -> int | None:
    """Creates and locks a lock file; returns its descriptor, or None if it cannot be created.

    Raises:
        UsageError: See `hold_lock_file`.
    """
    while True:
        try:
            file = os.open(path, _LOCK_FILE_FLAGS, 0o666)
        except OSError:  # the folder is read-only, which is reported when something is written
            return None
        if try_lock(file) == "taken":
            os.close(file)
            raise UsageError(taken)
        if _is_at(path, file):
            return file
        os.close(file)  # another process removed it at its end, before it was locked here


def _is_at(path: Path, file: int) -> bool:
    """Returns whether an open file is the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except OSError:
        return False


def try_lock(file: int, shared: bool = False) -> LockResult:
    """Tries to acquire a lock on an open file or folder, without waiting.

    Closing the file descriptor and all its duplicates releases the lock.

    Args:
        file: File descriptor. On NFS, a file must be open for writing.
        shared: Whether others may hold shared locks at the same time; an exclusive lock excludes
            all others.

    Returns:
        `acquired` if it is locked now, `taken` if another process has locked it or it was opened
        and locked elsewhere in this process, `unsupported` if the file system does not support
        locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_NB | (fcntl.LOCK_SH if shared else fcntl.LOCK_EX))
    except BlockingIOError:
        return "taken"
    except OSError:  # the file system does not support locks, or none on folders
        return "unsupported"
    return "acquired"
