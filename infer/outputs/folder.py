"""Base class of output folders, whose subfolders mirror those of the input folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from image_gender_classifier.outputs.atomic import (
    make_write_error,
    remove_leftovers,
    replace_atomic,
)
from image_gender_classifier.outputs.file_system import PATH_ERRORS
from image_gender_classifier.outputs.naming import make_substitute_name, may_be_substitute
from image_gender_classifier.outputs.output import Output

_Result = TypeVar("_Result")


class OutputFolder(Output):
    """Base class of outputs with one file per picture, written below an existing folder.

    Args:
        folder: The output folder; it is not created, as its drive may be unmounted.

    Raises:
        OutputError: The folder does not exist or cannot be accessed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cleaned: set[Path] = set()
        try:
            self._identity = _identify(folder)
            self._prepare_folder(folder)
        except OSError as error:
            raise make_write_error(folder, error) from None

    def write_file(self, name: str, data: bytes) -> str:
        """Writes a file atomically, under a substitute name if `name` is rejected or taken.

        The substitute lies directly in the output folder; see `make_substitute_name`. After `name`
        has been written, a substitute from an earlier run is removed.

        Args:
            name: Path of the file, relative to the output folder.
            data: Content of the file.

        Returns:
            The path of the written file, relative to the output folder: `name` or the substitute.

        Raises:
            OutputError: The file cannot be written under either name, or the cause is not the name,
                such as a full disk.
        """
        return self.place_file(name, lambda path: self.write_at(path, data))[0]

    def place_file(self, name: str, place: Callable[[Path], _Result]) -> tuple[str, _Result]:
        """Makes a file as `write_file` does, by a function.

        Args:
            name: Path of the file, relative to the folder.
            place: Makes the file at a path; raises `OSError` if it cannot.

        Returns:
            The path of the file, and the result of `place`.
        """
        path = self._folder / name
        try:
            result = _try_twice(place, path)
        except OSError as error:
            if error.errno not in PATH_ERRORS:
                raise make_write_error(path, error) from None
            substitute = make_substitute_name(name)
            try:
                result = _try_twice(place, self._folder / substitute)
            except OSError:  # so the name is not the cause
                raise make_write_error(path, error) from None
            if self._substitutes is not None:
                self._substitutes.add(substitute)
            return substitute, result
        if self._substitutes is None or self._substitutes:
            self._remove_substitute(make_substitute_name(name))
        return name, result

    @cached_property
    def _substitutes(self) -> set[str] | None:
        """The substitute names in the folder at the first write; None if it cannot be listed."""
        try:
            with os.scandir(self._folder) as entries:
                return {entry.name for entry in entries if may_be_substitute(entry.name)}
        except OSError:
            return None

    def _remove_substitute(self, substitute: str) -> None:
        """Removes the file of a substitute name, if there was one; ignores errors."""
        if self._substitutes is None or substitute in self._substitutes:
            with suppress(OSError):
                (self._folder / substitute).unlink(missing_ok=True)
                if self._substitutes is not None:
                    self._substitutes.remove(substitute)

    def possible_paths(self, name: str) -> Iterator[Path]:
        """Yields the paths where `write_file` may have written a file: `name`, then its substitute.

        Omits `name` if one of its folders is a symbolic link, through which nothing is written.

        Args:
            name: Path of the file, relative to the output folder.
        """
        path = self._folder / name
        if "/" not in name or not self._has_symlink_above(path):
            yield path
        yield self._folder / make_substitute_name(name)

    def write_at(self, path: Path, data: bytes) -> None:
        """Writes a file atomically and creates its parent folders.

        Args:
            path: Path of the file, below the output folder.
            data: Content of the file.

        Raises:
            OSError: The file or a parent folder cannot be written, a parent folder is a symbolic
                link, or the output folder was removed, replaced or unmounted.
        """
        self.prepare_parent(path)
        replace_atomic(path, data)

    def prepare_parent(self, path: Path) -> None:
        """Creates the parent folders of a file below the output folder.

        Raises:
            OSError: A parent folder cannot be created or is a symbolic link, or the output folder
                was removed, replaced or unmounted.
        """
        self._require_same_folder()
        self._prepare_folder(path.parent)

    def _has_symlink_above(self, path: Path) -> bool:
        """Returns whether a folder between the output folder and a file is a symbolic link."""
        parent = path.parent
        while parent != self._folder:
            if parent.is_symlink():
                return True
            parent = parent.parent
        return False

    def _require_same_folder(self) -> None:
        """Checks that the output folder is still the one that was opened, by device and inode.

        Raises:
            OSError: The folder was removed, replaced or unmounted. After a drive is disconnected,
                its empty mount point remains.
        """
        if _identify(self._folder) != self._identity:
            raise OSError(errno.ESTALE, "the output folder was removed, replaced or unmounted")

    def _prepare_folder(self, folder: Path) -> None:
        """Creates a folder below the output folder and its parents, unless they exist.

        On the first use of each folder, removes the partial files that killed runs left in it.

        Args:
            folder: The folder; the output folder itself is never created.

        Raises:
            OSError: A folder cannot be created, or is a symbolic link.
        """
        if folder != self._folder:
            self._prepare_folder(folder.parent)
            # Checked each time: a folder can be replaced during a long run.
            if folder.is_symlink():
                raise OSError(errno.ELOOP, f"{folder} is a symbolic link")
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)  # another shard may have made it just now
        if folder not in self._cleaned:
            remove_leftovers(folder)
            self._cleaned.add(folder)


def _try_twice(place: Callable[[Path], _Result], path: Path) -> _Result:
    """Makes a file; tries once more after an error, which may be transient."""
    try:
        return place(path)
    except OSError:
        return place(path)


def _identify(folder: Path) -> tuple[int, int]:
    """Returns the device and the inode of a folder."""
    status = folder.stat()
    return status.st_dev, status.st_ino
