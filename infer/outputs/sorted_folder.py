"""Links the pictures into a folder per gender (`--sort-into`)."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.errors import FileNotWritten, UsageError
from image_gender_classifier.outputs.atomic import (
    create_partial,
    hold_lock_until_renamed,
    make_partial_path,
    make_write_error,
    remove_partial,
)
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.settings import DEFAULTS, OutputSettings
from image_gender_classifier.results import Prediction
from image_gender_classifier.system.files import OPEN_FLAGS

SUBFOLDERS = ("female", "male", "unknown", "no_face")
_MARKER = ".sorted-by-image-gender-classifier"
_MARKER_TEXT = (
    b"image-gender-classifier --sort-into replaces files in the folders female, male, unknown and\n"
    b"no_face. It refuses folders of these names without this file.\n"
)
_TIME_STEP = 2_000_000_000  # nanoseconds: FAT stores even seconds


class SortedFolder(OutputFolder):
    """A folder with a hard link to each picture, or a copy where hard links are impossible.

    Args:
        folder: The folder.
        pictures: The input folder.

    Raises:
        UsageError: One of its folders has files that no earlier run sorted.
        OutputError: The folder cannot be used.
    """

    def __init__(self, folder: Path, pictures: Path) -> None:
        super().__init__(folder)
        self._pictures = pictures
        try:
            if not (folder / _MARKER).exists():
                for name in SUBFOLDERS:
                    self._require_unused(folder / name)
                self.write_at(folder / _MARKER, _MARKER_TEXT)
        except OSError as error:
            raise make_write_error(folder, error) from None

    def write(self, row: Row) -> None:
        """Places a picture in the folder of its prediction, and removes it from the others.

        Raises:
            FileNotWritten: The picture cannot be read.
            OutputError: The link or copy cannot be made.
        """
        if row.prediction.status == "unreadable" and row.kept:  # it was deleted
            return
        chosen = _choose_subfolder(row.prediction)
        source = self._pictures / row.picture.file
        if chosen is not None:
            self.place_file(f"{chosen}/{row.picture.full}", lambda path: self._place(source, path))
        for other in SUBFOLDERS:
            if other != chosen:
                for path in self.possible_paths(f"{other}/{row.picture.full}"):
                    with suppress(OSError):
                        path.unlink()

    def _place(self, source: Path, path: Path) -> None:
        """Links or copies a picture.

        Raises:
            OSError: The link or copy cannot be made.
            FileNotWritten: The picture cannot be read.
        """
        self.prepare_parent(path)
        try:
            picture = os.open(source, OPEN_FLAGS)
        except OSError as error:
            raise FileNotWritten(f"{source}: cannot be sorted ({error.strerror})") from None
        try:
            if not _is_placed(picture, path) and not _link(source, path):
                _copy(picture, path)
        finally:
            os.close(picture)

    def _require_unused(self, folder: Path) -> None:
        if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"--sort-into {self._folder}: its folder {folder.name} has files already; give an "
                "empty folder"
            )


def _choose_subfolder(prediction: Prediction) -> str | None:
    """Returns the subfolder for a picture; None for an unreadable one."""
    if prediction.status == "unreadable":
        return None
    if prediction.shows_no_face:
        return "no_face"
    return prediction.gender


def _is_placed(picture: int, path: Path) -> bool:
    """Returns whether a path is a link to an open picture, or a copy of its time and size."""
    try:
        there = path.lstat()
    except OSError:
        return False
    own = os.fstat(picture)
    if os.path.samestat(own, there):
        return True
    is_copy = path.is_file() and not path.is_symlink() and own.st_size == there.st_size
    return is_copy and abs(own.st_mtime_ns - there.st_mtime_ns) < _TIME_STEP


def _link(source: Path, path: Path) -> bool:
    """Replaces a path by a hard link atomically; returns whether the file system allows it."""
    partial = make_partial_path(path.parent)
    try:
        os.link(os.path.realpath(source), partial)
        partial.replace(path)
    except OSError:  # another file system, one without links, or a picture of another user
        return False
    finally:
        remove_partial(partial)
    return True


def _copy(picture: int, path: Path) -> None:
    """Replaces a path by a copy of an open picture atomically; keeps its time."""
    partial = make_partial_path(path.parent)
    try:
        file = os.fdopen(create_partial(partial), "wb")
        with hold_lock_until_renamed(file), os.fdopen(os.dup(picture), "rb") as source:
            shutil.copyfileobj(source, file, 2**20)
            file.close()
            status = os.fstat(picture)
            os.utime(partial, ns=(status.st_atime_ns, status.st_mtime_ns))
            partial.replace(path)
    except BaseException:  # Ctrl-C too
        remove_partial(partial)
        raise


def open_output(path: Path, settings: OutputSettings = DEFAULTS) -> SortedFolder:
    """Opens the output; exceptions as for `SortedFolder`."""
    return SortedFolder(path, settings.pictures)
