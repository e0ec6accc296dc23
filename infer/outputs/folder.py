"""An output folder that mirrors the folders of the input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from image_gender_classifier.outputs.atomic import cannot_write, remove_leftovers, replace_whole
from image_gender_classifier.outputs.file_system import DISK_FAULTS
from image_gender_classifier.outputs.naming import substitute
from image_gender_classifier.outputs.output import Output


class OutputFolder(Output):
    """Writes files below an existing folder.

    Raises:
        OutputError: The folder is not writable.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prepared: set[Path] = set()
        try:
            self._prepare(folder)
        except OSError as error:
            raise cannot_write(folder, error) from None

    def write_file(self, name: str, data: bytes) -> str:
        """Writes a whole file or none.

        Args:
            name: Path of the file below the folder.
            data: Content of the file.

        Returns:
            Its path below the folder: `name`, or the name of a substitute where the file system
            refuses `name` and no other file.

        Raises:
            OutputError: It cannot be written.
        """
        path = self._folder / name
        try:
            self.write_at(path, data)
        except OSError as error:
            if error.errno is None or error.errno in DISK_FAULTS:
                raise cannot_write(path, error) from None
            other = substitute(name)
            try:
                self.write_at(self._folder / other, data)
            except OSError:  # no name helps
                raise cannot_write(path, error) from None
            return other
        return name

    def written(self, name: str) -> Iterator[Path]:
        """Yields where `write_file` may have written a file: under its name or its substitute's."""
        yield self._folder / name
        yield self._folder / substitute(name)

    def write_at(self, path: Path, data: bytes) -> None:
        """Writes a whole file or none, and the folders above it.

        Raises:
            OSError: It cannot be written.
        """
        self._prepare(path.parent)
        replace_whole(path, data)

    def _prepare(self, folder: Path) -> None:
        """Creates a folder below the output folder and removes leftovers from it, once.

        Raises:
            OSError: It cannot be created.
        """
        if folder in self._prepared:
            return
        # Never create the output folder itself: it may be an unmounted drive.
        if folder != self._folder:
            self._prepare(folder.parent)
            folder.mkdir(exist_ok=True)
            if folder.is_symlink():
                raise OSError(None, f"{folder} is a link and may lead elsewhere; remove it")
        remove_leftovers(folder)
        self._prepared.add(folder)
