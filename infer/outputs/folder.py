"""Base class of the output folders, which mirror the folders of the input."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.outputs.atomic import (
    make_write_error,
    remove_leftovers,
    replace_atomic,
)
from image_gender_classifier.outputs.file_system import PATH_ERRORS
from image_gender_classifier.outputs.naming import make_substitute_name
from image_gender_classifier.outputs.output import Output


class OutputFolder(Output):
    """Writes files below an existing folder.

    Args:
        folder: The output folder; it is not created, as it may be on an unmounted drive.

    Raises:
        OutputError: The folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cleaned: set[Path] = set()
        try:
            self._identity = _identify(folder)
            self._prepare(folder)
        except OSError as error:
            raise make_write_error(folder, error) from None

    def write_file(self, name: str, data: bytes) -> str:
        """Writes a file atomically, under a substitute name if `name` is rejected or taken.

        A substitute of an earlier run is removed when `name` is accepted.

        Args:
            name: Path of the file, relative to the folder.
            data: Content of the file.

        Returns:
            The path of the written file, relative to the folder.

        Raises:
            OutputError: The file cannot be written under either name.
        """
        path, substitute = self._folder / name, make_substitute_name(name)
        try:
            self._write_or_retry(path, data)
        except OSError as error:
            if error.errno not in PATH_ERRORS:
                raise make_write_error(path, error) from None
            try:
                self._write_or_retry(self._folder / substitute, data)
            except OSError:  # the name is not the cause
                raise make_write_error(path, error) from None
            return substitute
        with suppress(OSError):
            (self._folder / substitute).unlink()
        return name

    def possible_paths(self, name: str) -> Iterator[Path]:
        """Yields the paths that `write_file` uses: that of `name`, then that of its substitute.

        The path of `name` is omitted if it leads through a symbolic link.
        """
        path = self._folder / name
        if not self._has_link_above(path):
            yield path
        yield self._folder / make_substitute_name(name)

    def write_at(self, path: Path, data: bytes) -> None:
        """Writes a file atomically and creates its parent folders.

        Args:
            path: Path of the file, below the output folder.
            data: Content of the file.

        Raises:
            OSError: The file or a parent folder cannot be written.
        """
        self._require_same_folder()
        self._prepare(path.parent)
        replace_atomic(path, data)

    def _write_or_retry(self, path: Path, data: bytes) -> None:
        """Writes a file; tries once more after an error, which may be transient."""
        try:
            self.write_at(path, data)
        except OSError:
            self.write_at(path, data)

    def _has_link_above(self, path: Path) -> bool:
        """Returns whether a folder between the output folder and a file is a symbolic link."""
        parent = path.parent
        while parent != self._folder:
            if parent.is_symlink():
                return True
            parent = parent.parent
        return False

    def _require_same_folder(self) -> None:
        """Checks that the output folder is the one that was opened.

        Raises:
            OSError: It is not; when a drive is disconnected, its mount point remains.
        """
        if _identify(self._folder) != self._identity:
            raise OSError(errno.ESTALE, "the output folder was removed, replaced or unmounted")

    def _prepare(self, folder: Path) -> None:
        """Creates a folder below the output folder, unless it exists.

        When it is used for the first time, the leftovers of killed runs are removed from it.

        Raises:
            OSError: The folder cannot be created, or is a symbolic link.
        """
        # Never create the output folder itself: its drive may be unmounted.
        if folder != self._folder:
            self._prepare(folder.parent)
            # Checked each time: a folder can be replaced during a long run.
            if folder.is_symlink():
                raise OSError(errno.ELOOP, f"{folder} is a symbolic link")
            if not folder.is_dir():
                folder.mkdir()
        if folder not in self._cleaned:
            remove_leftovers(folder)
            self._cleaned.add(folder)


def _identify(folder: Path) -> tuple[int, int]:
    """Returns the device and the inode of a folder."""
    status = folder.stat()
    return status.st_dev, status.st_ino
