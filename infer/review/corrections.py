"""Keeps `corrections.csv` up to date while pages are open."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.corrections import (
    Correction,
    read_corrections,
    write_corrections,
)
from image_gender_classifier.system.locking import hold_lock_file

_LOCK_FILE = ".igc-review-{}.lock"


def lock_corrections(path: Path) -> AbstractContextManager[None]:
    """Locks a file of corrections against other servers; runs may still read it.

    The lock is a file next to it: a run locks the folder itself, and the file is replaced by each
    change.

    Raises:
        UsageError: Another server saves to the file.
    """
    taken = (
        f"{path}: another image-gender-review saves to this file; use the page of that one, stop "
        "it, or choose another file with --corrections"
    )
    return hold_lock_file(path.with_name(_LOCK_FILE.format(path.name)), taken)


class CorrectionFile:
    """The corrections in a file, which is written after every change. Thread-safe.

    Args:
        path: The file, which need not exist yet.
        warn: Called with a message for the user.

    Raises:
        UsageError: It cannot be read, or has columns that would be lost.
    """

    def __init__(self, path: Path, warn: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._warn = warn
        self._lock = Lock()
        self._corrections: dict[str, Correction] = {}
        self._state: tuple[int, int, int] | None = None
        self._refresh()

    def read(self) -> dict[str, Correction]:
        """Returns the corrections by path of the picture.

        Raises:
            UsageError: The file cannot be read, or is no file of corrections any more.
        """
        with self._lock:
            self._refresh()
            return dict(self._corrections)

    def change(self, file: str, correction: Correction | None) -> None:
        """Adds, replaces or removes the correction of a picture and writes the file.

        Raises:
            UsageError: The file cannot be read, or is no file of corrections any more.
            OutputError: The file cannot be written. The correction is not kept either.
        """
        with self._lock:
            self._refresh()
            changed = dict(self._corrections)
            if correction is None:
                changed.pop(file, None)
            else:
                changed[file] = correction
            write_corrections(self._path, changed)
            self._corrections = changed
            self._state = self._read_state()

    def _refresh(self) -> None:
        """Reads the file again if another program has changed it.

        If it is missing, its content is kept: otherwise, the next change would write only itself.
        """
        state = self._read_state()
        if state == self._state:
            return
        if state is not None:
            found = read_corrections(self._path, rewritten=True)
            self._report_removed([file for file in self._corrections if file not in found])
            self._corrections = found
        elif self._corrections:
            count = len(self._corrections)
            self._warn(
                f"{self._path}: was deleted or moved; the next change on the page writes it again, "
                f"with all {count:,} correction{'s' * (count > 1)}; to start anew, stop this "
                "program, delete the file and start it again"
            )
        self._state = state

    def _report_removed(self, files: Sequence[str]) -> None:
        """Reports corrections that another program, such as a spreadsheet, has left out."""
        if files:
            count = f"{len(files):,} correction{'s' * (len(files) > 1)}"
            self._warn(
                f"{self._path}: another program has removed {count}, such as that of "
                f"{files[0]!r}; a table that was opened before lacks those that were made since: "
                "make them again, and edit the file only while this program is stopped"
            )

    def _read_state(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)  # noqa: PTH116
        except FileNotFoundError:
            return None
        except OSError as error:  # such as a disk or a network drive that is disconnected
            raise UsageError(f"{self._path}: cannot be read ({error.strerror})") from None
        return status.st_ino, status.st_size, status.st_mtime_ns
