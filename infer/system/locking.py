"""Locks that the kernel drops with the process that holds them, however it ends.

A lock lies on the folder or file itself, so nothing is left behind by a process that is killed or
a board whose power fails. Where there are no such locks (on Windows, on some network file systems)
everything goes on without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from image_gender_classifier.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


Lock = Literal["ours", "taken", "impossible"]


@contextmanager
def held(folders: Sequence[Path]) -> Iterator[None]:
    """Keeps other runs out of folders for a while.

    Raises:
        UsageError: Another run is in one of them.
    """
    with ExitStack() as stack:
        known = set()
        for folder in folders:
            try:
                file = os.open(folder, os.O_RDONLY)
            except OSError:  # on Windows; or without the right to list it
                continue
            stack.callback(os.close, file)  # which drops the lock
            status = os.fstat(file)
            place = (status.st_dev, status.st_ino)
            if place in known:  # its lock is ours
                continue
            known.add(place)
            if lock(file) == "taken":
                raise UsageError(
                    f"{folder}: another run is writing into this folder; wait for its end, or "
                    "choose another one"
                )
        yield


def lock(file: int) -> Lock:
    """Locks an open file or folder until it is closed, if no other one of it is locked."""
    if fcntl is None:
        return "impossible"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "taken"
    except OSError:  # this file system has no locks, or none on folders
        return "impossible"
    return "ours"
