"""Tracks which pictures of a watched folder are complete and not classified yet (`--watch`)."""

from __future__ import annotations

from collections.abc import Iterable, Set
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.outputs.naming import PictureFile

_FIRST_RETRY, _LAST_RETRY = 15, 1_800  # scans until an unfinished picture is tried again


class _State(NamedTuple):
    """The state of a picture file at one scan. Equal states mean that it has not changed.

    Attributes:
        xml: Path of its XML file, relative to the output folder; a new one counts as a change.
        size: Size in bytes.
        modified: Modification time (mtime) in nanoseconds.
        inode: Inode number.
    """

    xml: str
    size: int
    modified: int
    inode: int


class _Retry(NamedTuple):
    """The next try for an unfinished picture.

    Attributes:
        wait: Number of scans between the last try and the next.
        scan: Number of the scan (from 1) at which the picture is tried again.
    """

    wait: int
    scan: int


class Arrivals:
    """Tracks which pictures of a folder are complete and not classified yet.

    Args:
        hidden: Whether to include files whose names start with a dot, as those of unfinished
            copies often do.
    """

    def __init__(self, hidden: bool = False) -> None:
        self._hidden = hidden
        self._seen: dict[str, _State] = {}
        self._classified: set[str] = set()
        self._retries: dict[str, _Retry] = {}
        self._scan = 0

    def find_ready(self, folder: Path, pictures: Iterable[PictureFile]) -> list[PictureFile]:
        """Returns the complete pictures that have not been classified in their current state.

        A picture is complete if it has not changed since the last call. One that was marked as
        unfinished is returned again only when its next try is due.

        Args:
            folder: The input folder.
            pictures: All pictures that are in the folder now.
        """
        self._scan += 1
        before, self._seen = self._seen, {}
        ready = []
        for picture in pictures:
            if picture.file.rpartition("/")[2].startswith(".") and not self._hidden:
                continue
            state = _read_state(folder, picture)
            if state is None:
                continue
            self._seen[picture.file] = state
            if before.get(picture.file) != state:
                self._classified.discard(picture.file)
                self._retries.pop(picture.file, None)
            elif picture.file not in self._classified and self._is_due(picture):
                ready.append(picture)
        self._classified &= self._seen.keys()
        for file in self._retries.keys() - self._seen.keys():
            del self._retries[file]
        return ready

    def classify_again(self, files: Set[str]) -> None:
        """Makes `find_ready` return pictures again that were marked as classified.

        Args:
            files: Their paths. If one is not in the folder, all pictures are returned again, as one
                of them may have had that name.
        """
        if files <= self._seen.keys():
            self._classified -= files
        else:
            self._classified.clear()

    def mark_classified(self, picture: PictureFile) -> None:
        """Marks a picture as classified; `find_ready` returns it again only after a change."""
        self._classified.add(picture.file)
        self._retries.pop(picture.file, None)

    def mark_unfinished(self, picture: PictureFile) -> None:
        """Schedules the next try for a picture (exponential backoff, counted in scans)."""
        last = self._retries.get(picture.file)
        wait = min(2 * last.wait, _LAST_RETRY) if last else _FIRST_RETRY
        self._retries[picture.file] = _Retry(wait, self._scan + wait)

    def _is_due(self, picture: PictureFile) -> bool:
        retry = self._retries.get(picture.file)
        return retry is None or self._scan >= retry.scan


def _read_state(folder: Path, picture: PictureFile) -> _State | None:
    """Returns the current state of a picture file; None if it was deleted or cannot be accessed."""
    try:
        status = (folder / picture.file).stat()
    except OSError:  # deleted, or a broken symbolic link
        return None
    return _State(picture.xml, status.st_size, status.st_mtime_ns, status.st_ino)
