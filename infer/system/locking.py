"""Locks on files and folders, which the kernel releases when the process ends.

A killed process or a power cut leaves no lock file. On a file system without locks, such as some
network file systems, nothing is locked.
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
def held(folders: Sequence[Path]) -> Iterator[None]:
    """Locks folders against other runs.

    Raises:
        UsageError: Another run has locked one of them.
    """
    with ExitStack() as stack:
        known = set()
        for folder in folders:
            try:
                file = os.open(folder, os.O_RDONLY)
            except OSError:  # no permission to list it
                continue
            stack.callback(os.close, file)  # closing releases the lock
            status = os.fstat(file)
            place = (status.st_dev, status.st_ino)
            if place in known:  # already locked here
                continue
            known.add(place)
            if lock(file) == "taken":
                raise UsageError(
                    f"{folder}: another run is writing into this folder; wait until it ends, or "
                    "choose another folder"
                )
        yield


def lock(file: int) -> Lock:
    """Locks an open file or folder until it is closed, unless another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "taken"
    except OSError:  # a file system without locks, or without locks on folders
        return "impossible"
    return "ours"
