"""Lists the pictures that are given as arguments: files, folders and streams."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from image_gender_classifier.cli.input_pictures import (
    describe_skipped_links,
    format_no_picture,
    format_unread,
)
from image_gender_classifier.cli.options import Options
from image_gender_classifier.cli.streams import STANDARD_INPUT, is_stream, store_stream
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.files import NO_SUCH_FILE
from image_gender_classifier.listing import Listing
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.scan import list_pictures


class GivenPictures:
    """The pictures of a run without an output folder, in the order of the arguments.

    Args:
        options: The options of the command.
        stack: Removes temporary files when it is closed.

    Attributes:
        total: Number of pictures.
        ignored: Number of other files in the given folders.
        faults: A message for each path and subfolder that cannot be read or has no picture.
        notes: Messages about skipped symbolic links.
    """

    def __init__(self, options: Options, stack: ExitStack) -> None:
        self.total = self.ignored = 0
        self.faults: list[str] = []
        self.notes: list[str] = []
        self._options = options
        self._groups: list[tuple[str, Listing] | PictureFile] = []
        if not options.paths:
            self._add_folder(options.input, "")
        for path in options.paths:
            try:
                self._add_path(path, stack)
            except UsageError as error:
                self.faults.append(str(error))

    def __iter__(self) -> Iterator[PictureFile]:
        for group in self._groups:
            if isinstance(group, PictureFile):
                yield group
                continue
            prefix, listing = group
            for file in listing.files:
                name = prefix + file
                yield PictureFile(name, "", source=name if prefix else "")

    def _add_path(self, path: str, stack: ExitStack) -> None:
        """Adds what a path names.

        Raises:
            UsageError: There is no such file or folder, or it cannot be read.
        """
        status = None if path == STANDARD_INPUT else _read_status(path)
        if status is None or is_stream(path, status):
            copy = store_stream(path, stack, self._options.settings.max_bytes)
            self._add_file(PictureFile(path, "", source=copy))
        elif stat.S_ISDIR(status.st_mode):
            self._add_folder(Path(path), path if path.endswith("/") else f"{path}/")
        else:
            self._add_file(PictureFile(path, "", source=str(Path(path))))

    def _add_file(self, picture: PictureFile) -> None:
        self._groups.append(picture)
        self.total += 1

    def _add_folder(self, folder: Path, prefix: str) -> None:
        """Adds the pictures of a folder; their names begin with `prefix`.

        Raises:
            UsageError: The folder cannot be read.
        """
        options = self._options
        listing = list_pictures(folder, options.recursive, hidden=options.hidden)
        self._groups.append((prefix, listing))
        self.total += listing.total
        self.ignored += listing.ignored
        self.faults += [format_unread(folder, unread) for unread in listing.unread]
        self.notes += describe_skipped_links(folder, listing)
        if listing.total == 0:
            self.faults.append(format_no_picture(folder, listing, options))


def _read_status(path: str) -> os.stat_result:
    """Returns the status of a path.

    Raises:
        UsageError: Nothing exists there, or the path cannot be examined.
    """
    name = repr(escape_text(path))
    try:
        if path:  # Path would make an unset variable of a script the current folder
            return Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UsageError(f"{name}: cannot be read ({error.strerror}); check the path") from None
    raise UsageError(f"{name}: {NO_SUCH_FILE}")
