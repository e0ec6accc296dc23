"""The temporary folders of the actors."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.system.locking import try_lock

_PREFIX = "image-gender-ray-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_MAX_CREATIONS = 20  # attempts: another actor may remove the new folder as a leftover


class TemporaryFolder:
    """A new temporary folder; also removes those that killed processes left.

    A process that has such a folder holds its lock.

    Attributes:
        path: The folder.

    Raises:
        OSError: It cannot be created.
    """

    def __init__(self) -> None:
        _remove_leftovers()
        self.path, self._locked = _create_folder()

    def close(self) -> None:
        """Removes the folder with its files, and then releases its lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._locked)


def _remove_leftovers() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            file = os.open(path, _FOLDER)
            try:
                if try_lock(file) == "acquired":
                    shutil.rmtree(path)  # while it is locked, so that its creator notices
            finally:
                os.close(file)


def _create_folder() -> tuple[Path, int]:
    """Creates and locks a folder; returns it and the file descriptor that holds the lock."""
    for _ in range(_MAX_CREATIONS):
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            file = os.open(path, _FOLDER)
        except FileNotFoundError:
            continue
        if try_lock(file) != "taken" and path.exists():
            return path, file
        os.close(file)
    raise OSError(errno.EBUSY, "other processes keep removing the temporary folder")
