"""Base class of the output folders, which mirror the folders of the input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from image_gender_classifier.outputs.atomic import (
    make_write_error,
    remove_leftovers,
    replace_atomic,
)
from image_gender_classifier.outputs.file_system import DISK_ERRORS
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
        self._prepared: set[Path] = set()
        try:
            self._prepare(folder)
        except OSError as error:
            raise make_write_error(folder, error) from None

    def write_file(self, name: str, data: bytes) -> str:
        """Writes a file atomically, under a substitute name if the file system rejects `name`.

        Args:
            name: Path of the file, relative to the folder.
            data: Content of the file.

        Returns:
            The path of the written file, relative to the folder.

        Raises:
            OutputError: The file cannot be written under either name.
        """
        path = self._folder / name
        try:
            self.write_at(path, data)
        except OSError as error:
            if error.errno is None or error.errno in DISK_ERRORS:
                raise make_write_error(path, error) from None
            other = make_substitute_name(name)
            try:
                self.write_at(self._folder / other, data)
            except OSError:  # the name is not the cause
                raise make_write_error(path, error) from None
            return other
        return name

    def possible_paths(self, name: str) -> Iterator[Path]:
        """Yields the paths that `write_file` uses: that of `name`, then that of its substitute."""
        yield self._folder / name
        yield self._folder / make_substitute_name(name)

    def write_at(self, path: Path, data: bytes) -> None:
        """Writes a file atomically and creates its parent folders.

        Args:
            path: Path of the file, below the output folder.
            data: Content of the file.

        Raises:
            OSError: The file or a parent folder cannot be written.
        """
        self._prepare(path.parent)
        replace_atomic(path, data)

    def _prepare(self, folder: Path) -> None:
        """Creates a folder below the output folder and removes leftovers of killed runs from it.

        Does so once for each folder.

        Raises:
            OSError: The folder cannot be created, or is a symbolic link.
        """
        if folder in self._prepared:
            return
        # Never create the output folder itself: its drive may be unmounted.
        if folder != self._folder:
            self._prepare(folder.parent)
            folder.mkdir(exist_ok=True)
            if folder.is_symlink():
                raise OSError(None, f"{folder} is a symbolic link; replace it with a folder")
        remove_leftovers(folder)
        self._prepared.add(folder)
