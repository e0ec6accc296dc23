"""Finds the pictures of a folder, in a stable order, and names their output files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.formats import EXTENSIONS, SNIFFED_BYTES, sniff
from image_gender_classifier.outputs.naming import (
    ORDINARY,
    NameRules,
    PictureFile,
    name_levels,
    xml_name,
)
from image_gender_classifier.system import logs
from image_gender_classifier.system.clutter import is_clutter_file, is_clutter_folder

_ENDINGS = tuple(EXTENSIONS)


class PictureFolder(NamedTuple):
    """A folder with pictures; it stores only their names, as there can be many.

    Attributes:
        path: The path below the input folder, empty for the input folder.
        names: The file names of the pictures in byte order.
        output: The path below the output folder; None for the same path.
        rules: The names that the output folder can hold.
        taken: Keys (see `name_key`) of names that no XML file may get.
    """

    path: str
    names: tuple[str, ...]
    output: str | None = None
    rules: NameRules = ORDINARY
    taken: frozenset[str] = frozenset()

    @property
    def output_path(self) -> str:
        """The path below the output folder."""
        return self.path if self.output is None else self.output

    @property
    def files(self) -> Iterator[str]:
        """Paths of the pictures below the input folder."""
        return (join(self.path, name) for name in self.names)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures with the names of their output files."""
        levels = name_levels(self.names, self.rules, self.taken)
        usual = levels if self.rules == ORDINARY else name_levels(self.names, taken=self.taken)
        for name in self.names:
            xml = xml_name(name, levels.get(name, 0), self.rules)
            rewritten = self.output_path != self.path or (
                self.rules != ORDINARY and xml != xml_name(name, usual.get(name, 0))
            )
            yield PictureFile(join(self.path, name), join(self.output_path, xml), rewritten)


class Unread(NamedTuple):
    """A subfolder that cannot be read, or not to its end.

    Attributes:
        path: The path below the input folder.
        reason: The reason, for a message.
    """

    path: str
    reason: str


class Listing(NamedTuple):
    """The pictures of a folder.

    Attributes:
        folders: The folders with pictures, in byte order of their paths.
        ignored: Number of files that are not pictures.
        unread: The subfolders that cannot be read.
    """

    folders: tuple[PictureFolder, ...]
    ignored: int
    unread: tuple[Unread, ...] = ()

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


def list_pictures(
    folder: Path, recursive: bool = False, skip: Collection[Path] = (), hidden: bool = False
) -> Listing:
    """Lists the pictures of a folder.

    A picture is a regular file, or a link to one, with a known extension (in upper or lower case)
    or the first bytes of a known format. Links to folders are not followed.

    Args:
        folder: The input folder.
        recursive: Enter subfolders too.
        skip: Folders that are not entered, such as an output folder inside the input.
        hidden: Take files and enter folders too that are by-products or unfinished copies by their
            names.

    Raises:
        UsageError: The folder cannot be read; a subfolder goes into `Listing.unread`.
    """
    skipped = {os.path.realpath(path) for path in skip}
    found: list[PictureFolder] = []
    unread: list[Unread] = []
    ignored = 0
    queue = [""]
    while queue:
        parent = queue.pop()
        scanned = _scan(folder / parent, hidden)
        if scanned.fault is not None:
            if not parent:
                raise UsageError(f"{folder}: the folder cannot be read ({scanned.fault})")
            unread.append(Unread(parent, scanned.fault))
        ignored += scanned.others
        if scanned.pictures:
            found.append(PictureFolder(parent, tuple(sorted(scanned.pictures, key=os.fsencode))))
        if recursive:
            below = [join(parent, name) for name in sorted(scanned.folders, key=os.fsencode)]
            queue += [
                each
                for each in reversed(below)
                if not skipped or os.path.realpath(folder / each) not in skipped
            ]
    return Listing(tuple(found), ignored, tuple(unread))


def is_picture_name(name: str) -> bool:
    """Says whether a name has the extension of a picture, in upper or lower case."""
    return name.lower().endswith(_ENDINGS)


def join(parent: str, name: str) -> str:
    """Joins the path of a folder, which may be empty, and a name."""
    return f"{parent}/{name}" if parent else name


class _Scanned(NamedTuple):
    """The pictures and subfolders of a folder, unsorted, and the number of other files.

    `fault` says why it could not be read, or not to its end.
    """

    pictures: list[str]
    folders: list[str]
    others: int
    fault: str | None


def _scan(folder: Path, hidden: bool) -> _Scanned:
    pictures: list[str] = []
    folders: list[str] = []
    others = 0
    fault = None
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_folder(entry):
                    if hidden or not is_clutter_folder(entry.name):
                        folders.append(entry.name)
                    else:
                        logs.info("skips %s: not a folder of the user", entry.path)
                elif (hidden or not is_clutter_file(entry.name)) and _is_picture(entry):
                    pictures.append(entry.name)
                else:
                    others += 1
                    logs.info("skips %s: not a picture", entry.path)
    except OSError as error:
        fault = error.strerror or str(error)
    return _Scanned(pictures, folders, others, fault)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # it has gone, or may not be looked at
        return False


def _is_picture(entry: os.DirEntry[str]) -> bool:
    known = is_picture_name(entry.name)
    try:
        if not entry.is_file():
            return False
        if known:
            return True
        with Path(entry.path).open("rb", buffering=0) as file:
            return sniff(file.read(SNIFFED_BYTES)) is not None
    except PermissionError:
        return known  # the run reports it as unreadable
    except OSError:  # a dangling link
        return False
