"""Locks files and folders with `flock`.

The kernel releases a lock when the process ends, so a killed process leaves no stale lock. Some
network file systems do not support locks; nothing is locked there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from image_gender_classifier.errors import UsageError

LockResult = Literal["acquired", "taken", "unsupported"]


@contextmanager
def lock_folders(folders: Sequence[Path]) -> Iterator[None]:
    """Locks folders against other runs while the context is open.

    A folder stays unlocked if it cannot be opened for reading or its file system does not support
    locks.

    Args:
        folders: Existing folders; duplicates are allowed.

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
            if try_lock(file) == "taken":
                raise UsageError(
                    f"{folder}: another run is writing to this folder; wait until it ends, or "
                    "choose another folder"
                )
        yield


def try_lock(file: int) -> LockResult:
    """Tries to acquire an exclusive lock on an open file or folder, without waiting.

    Closing the file descriptor and all its duplicates releases the lock.

    Args:
        file: File descriptor. On NFS, a file must be open for writing.

    Returns:
        `acquired` if it is locked now, `taken` if another process has locked it or it was opened
        and locked elsewhere in this process, `unsupported` if the file system does not support
        locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "taken"
    except OSError:  # the file system does not support locks, or none on folders
        return "unsupported"
    return "acquired"
