"""Reads the file of `--corrections` of a watched folder again after each change."""

from __future__ import annotations

import os
from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.cli.corrections import CorrectionSet
from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs.corrections import read_corrections
from image_gender_classifier.system.files import OPEN_FLAGS

_KEPT = "the corrections that were read before stay in use"


class _State(NamedTuple):
    """The state of the file. Equal states mean that it has not changed."""

    size: int
    modified: int  # nanoseconds
    inode: int


class WatchedCorrections:
    """The corrections of a watched folder.

    Args:
        path: The file of corrections.
        pictures: The input folder.
        limits: Limits on the size of pictures.

    Attributes:
        corrections: The corrections as they are now.

    Raises:
        UsageError: The file cannot be read, or a row is wrong.
    """

    def __init__(self, path: Path, pictures: Path, limits: Limits) -> None:
        self._path = path
        self._read = self._seen = _read_state(path)
        self.corrections = CorrectionSet(pictures, limits, read_corrections(path))

    def refresh(self) -> Set[str]:
        """Reads the file again if it has changed, and not since the last call.

        Another program may still write to it. If it is missing or wrong, prints a message; the
        earlier corrections stay in use until the next change.

        Returns:
            The paths in rows that were added or changed.
        """
        before, self._seen = self._seen, _read_state(self._path)
        if self._seen == self._read or self._seen != before:
            return frozenset()
        self._read = self._seen
        if self._read is None:
            print_message(f"{self._path}: cannot be read any more; {_KEPT}")
            return frozenset()
        try:
            return self.corrections.update(read_corrections(self._path))
        except UsageError as error:
            print_message(f"{error}; {_KEPT}")
            return frozenset()


def _read_state(path: Path) -> _State | None:
    """Returns the current state of a file; None if it is missing or cannot be opened.

    A file that can be opened again counts as changed.
    """
    try:
        file = os.open(path, OPEN_FLAGS)
    except OSError:
        return None
    try:
        status = os.fstat(file)
    finally:
        os.close(file)
    return _State(status.st_size, status.st_mtime_ns, status.st_ino)
