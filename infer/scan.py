"""Lists the pictures of a folder in a stable order and names their output files."""

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
    find_name_levels,
    make_xml_name,
)
from image_gender_classifier.system import logs
from image_gender_classifier.system.clutter import is_clutter_file, is_clutter_folder

_ENDINGS = tuple(EXTENSIONS)


class PictureFolder(NamedTuple):
    """A folder with pictures. Stores only their names, to need little memory.

    Attributes:
        path: Path relative to the input folder; empty for the input folder itself.
        names: File names of the pictures, sorted by their bytes.
        output: Path relative to the output folder; None if it is the same as `path`.
        rules: The rules of the output folder for names.
        taken: Reserved names of XML files, as `collision_key` returns them.
    """

    path: str
    names: tuple[str, ...]
    output: str | None = None
    rules: NameRules = ORDINARY
    taken: frozenset[str] = frozenset()

    @property
    def output_path(self) -> str:
        """Path of the output files, relative to the output folder."""
        return self.path if self.output is None else self.output

    @property
    def files(self) -> Iterator[str]:
        """Paths of the pictures, relative to the input folder."""
        return (join_path(self.path, name) for name in self.names)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures with the paths of their XML files."""
        levels = find_name_levels(self.names, self.rules, self.taken)
        usual = levels if self.rules == ORDINARY else find_name_levels(self.names, taken=self.taken)
        for name in self.names:
            xml = make_xml_name(name, levels.get(name, 0), self.rules)
            renamed = self.output_path != self.path or (
                self.rules != ORDINARY and xml != make_xml_name(name, usual.get(name, 0))
            )
            yield PictureFile(join_path(self.path, name), join_path(self.output_path, xml), renamed)


class Unread(NamedTuple):
    """A subfolder that cannot be read, or only in part.

    Attributes:
        path: Path relative to the input folder.
        reason: Error message of the operating system.
    """

    path: str
    reason: str


class Listing(NamedTuple):
    """The pictures of a folder.

    Attributes:
        folders: The folders that contain pictures, in depth-first order.
        ignored: Number of files that are not pictures.
        unread: The subfolders that cannot be read.
    """

    folders: tuple[PictureFolder, ...]
    ignored: int
    unread: tuple[Unread, ...] = ()

    @property
    def total(self) -> int:
        """Total number of pictures."""
        return sum(len(folder.names) for folder in self.folders)

    @property
    def files(self) -> Iterator[str]:
        """Paths of the pictures relative to the input folder, folder by folder, sorted by bytes."""
        return (file for folder in self.folders for file in folder.files)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures with the paths of their XML files, in the order of `files`."""
        return (picture for folder in self.folders for picture in folder.pictures)


def list_pictures(
    folder: Path, recursive: bool = False, skip: Collection[Path] = (), hidden: bool = False
) -> Listing:
    """Lists the pictures of a folder.

    A picture is a regular file, or a symbolic link to one, that has a known extension
    (case-insensitive) or starts with the signature of a known format. Symbolic links to folders are
    not followed.

    Args:
        folder: The input folder.
        recursive: Include subfolders.
        skip: Folders to skip, such as an output folder inside the input folder.
        hidden: Whether to include system junk files and partial downloads; see `system.clutter`.

    Returns:
        The pictures, the number of other files, and the subfolders that cannot be read.

    Raises:
        UsageError: The input folder cannot be read.
    """
    skipped = {os.path.realpath(path) for path in skip}
    found: list[PictureFolder] = []
    unread: list[Unread] = []
    ignored = 0
    queue = [""]
    while queue:
        parent = queue.pop()
        scanned = _scan_folder(folder / parent, hidden)
        if scanned.fault is not None:
            if not parent:
                raise UsageError(f"{folder}: the folder cannot be read ({scanned.fault})")
            unread.append(Unread(parent, scanned.fault))
        ignored += scanned.others
        if scanned.pictures:
            found.append(PictureFolder(parent, tuple(sorted(scanned.pictures, key=os.fsencode))))
        if recursive:
            below = [join_path(parent, name) for name in sorted(scanned.folders, key=os.fsencode)]
            queue += [
                subfolder
                for subfolder in reversed(below)
                if not skipped or os.path.realpath(folder / subfolder) not in skipped
            ]
    return Listing(tuple(found), ignored, tuple(unread))


def is_picture_name(name: str) -> bool:
    """Returns whether a file name has a known image extension (case-insensitive)."""
    return name.lower().endswith(_ENDINGS)


def join_path(parent: str, name: str) -> str:
    """Returns `parent/name`, or `name` if `parent` is empty."""
    return f"{parent}/{name}" if parent else name


class _Scanned(NamedTuple):
    """The unsorted content of one folder.

    Attributes:
        pictures: File names of the pictures.
        folders: Names of the subfolders.
        others: Number of other files.
        fault: Why the folder cannot be read, or only in part; None if it was read.
    """

    pictures: list[str]
    folders: list[str]
    others: int
    fault: str | None


def _scan_folder(folder: Path, hidden: bool) -> _Scanned:
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
                        logs.info("skipping %s: folder of system junk files", entry.path)
                elif (hidden or not is_clutter_file(entry.name)) and _is_picture(entry):
                    pictures.append(entry.name)
                else:
                    others += 1
                    logs.info("skipping %s: not a picture", entry.path)
    except OSError as error:
        fault = error.strerror or str(error)
    return _Scanned(pictures, folders, others, fault)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # deleted, or no permission
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
    except OSError:  # a broken symbolic link
        return False
