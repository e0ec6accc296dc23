"""Locks files and folders with `flock`. The kernel releases a lock when the process ends.

A killed process or a power cut leaves no lock file. Some network file systems do not support locks;
nothing is locked there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from image_gender_classifier.errors import UsageError

Lock = Literal["ours", "taken", "impossible"]


@contextmanager
def lock_folders(folders: Sequence[Path]) -> Iterator[None]:
    """Locks folders against other runs while the context is open.

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
            if lock(file) == "taken":
                raise UsageError(
                    f"{folder}: another run is writing to this folder; wait until it ends, or "
                    "choose another folder"
                )
        yield


def lock(file: int) -> Lock:
    """Tries to lock an open file or folder until it is closed.

    Args:
        file: File descriptor.

    Returns:
        `ours` if it is locked now, `taken` if another process has locked it, `impossible` if the
        file system does not support locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "taken"
    except OSError:  # the file system does not support locks, or none on folders
        return "impossible"
    return "ours"
