"""Finds the pictures of a folder, in a stable order, and names their output files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.headers import EXTENSIONS, sniff
from image_gender_classifier.outputs.naming import PictureFile, name_levels, xml_name
from image_gender_classifier.system import logs

_SNIFFED_BYTES = 18
_ENDINGS = tuple(EXTENSIONS)


class PictureFolder(NamedTuple):
    """A folder with pictures; it stores only their names, as there can be many.

    Attributes:
        path: The path below the input folder, empty for the input folder.
        names: The file names of the pictures in byte order.
    """

    path: str
    names: tuple[str, ...]

    @property
    def files(self) -> Iterator[str]:
        """Paths of the pictures below the input folder."""
        return (_join(self.path, name) for name in self.names)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures with the names of their output files."""
        levels = name_levels(self.names)
        for name in self.names:
            xml = xml_name(name, levels.get(name, 0))
            yield PictureFile(_join(self.path, name), _join(self.path, xml))


class Listing(NamedTuple):
    """The pictures of a folder.

    Attributes:
        folders: The folders with pictures, in byte order of their paths.
        ignored: Number of files that are not pictures.
    """

    folders: tuple[PictureFolder, ...]
    ignored: int

    @property
    def total(self) -> int:
        """Number of pictures."""
        return sum(len(folder.names) for folder in self.folders)

    @property
    def files(self) -> Iterator[str]:
        """Paths of the pictures in byte order, folder by folder."""
        return (file for folder in self.folders for file in folder.files)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures in byte order of their paths, folder by folder."""
        return (picture for folder in self.folders for picture in folder.pictures)


def list_pictures(folder: Path, recursive: bool = False, skip: Collection[Path] = ()) -> Listing:
    """Lists the pictures of a folder.

    A picture is a regular file, or a link to one, with a known extension (in upper or lower case)
    or the first bytes of a known format. Links to folders are not followed.

    Args:
        folder: The input folder.
        recursive: Enter subfolders too.
        skip: Folders that are not entered, such as an output folder inside the input.

    Raises:
        UsageError: The folder cannot be read.
    """
    skipped = {path.resolve() for path in skip}
    found: list[PictureFolder] = []
    ignored = 0
    queue = [""]
    while queue:
        parent = queue.pop()
        pictures, folders, others = _scan(folder / parent)
        ignored += others
        if pictures:
            found.append(PictureFolder(parent, tuple(sorted(pictures, key=os.fsencode))))
        if recursive:
            below = [_join(parent, name) for name in sorted(folders, key=os.fsencode)]
            queue += [path for path in reversed(below) if (folder / path).resolve() not in skipped]
    return Listing(tuple(found), ignored)


def _scan(folder: Path) -> tuple[list[str], list[str], int]:
    """Returns the pictures and subfolders of a folder, unsorted, and the number of other files."""
    pictures: list[str] = []
    folders: list[str] = []
    others = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif _is_picture(entry):
                    pictures.append(entry.name)
                else:
                    others += 1
                    logs.info("skips %s: not a picture", entry.path)
    except OSError as error:
        raise UsageError(f"{folder}: the folder cannot be read ({error.strerror})") from None
    return pictures, folders, others


def _is_picture(entry: os.DirEntry[str]) -> bool:
    known = entry.name.lower().endswith(_ENDINGS)
    try:
        if not entry.is_file():
            return False
        if known:
            return True
        with Path(entry.path).open("rb", buffering=0) as file:
            return sniff(file.read(_SNIFFED_BYTES)) is not None
    except PermissionError:
        return known  # the run reports it as unreadable
    except OSError:  # a dangling link
        return False


def _join(parent: str, name: str) -> str:
    return f"{parent}/{name}" if parent else name
