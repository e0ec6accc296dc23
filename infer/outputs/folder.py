"""An output folder that mirrors the folders of the input."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs.atomic import remove_leftovers, write_whole
from image_gender_classifier.outputs.output import Output


class OutputFolder(Output):
    """Writes files below an existing folder.

    Raises:
        OutputError: The folder is not writable.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prepared: set[Path] = set()
        self._prepare(folder)

    def write_file(self, name: str, data: bytes) -> None:
        """Writes a whole file or none.

        Args:
            name: Path of the file below the folder.
            data: Content of the file.

        Raises:
            OutputError: It cannot be written.
        """
        path = self._folder / name
        self._prepare(path.parent)
        write_whole(path, data)

    def _prepare(self, folder: Path) -> None:
        """Creates a folder below the output folder and removes leftovers from it, once."""
        if folder in self._prepared:
            return
        try:
            # Never create the output folder itself: it may be an unmounted drive.
            if folder != self._folder:
                self._prepare(folder.parent)
                folder.mkdir(exist_ok=True)
                if folder.is_symlink():
                    raise OSError(None, "it is a link and may lead elsewhere; remove it")
            remove_leftovers(folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be created ({error.strerror})") from None
        self._prepared.add(folder)
