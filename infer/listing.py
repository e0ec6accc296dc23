"""Which files of a folder are pictures, in a stable order, and what their XML files are called."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from image_gender_classifier.errors import UsageError
from image_gender_classifier.headers import EXTENSIONS, sniff

XML_SUFFIX, DRAWING_SUFFIX = ".xml", ".jpg"
_LONGEST_NAME = 255  # bytes: what every common file system takes
_SNIFFED_BYTES = 18
_HASH_DIGITS = 8
_ENDINGS = tuple(EXTENSIONS)


class PictureFile(NamedTuple):
    """A picture that was found.

    Attributes:
        file: Its path below the input folder, with forward slashes.
        xml: The path of its XML file below the output folder.
    """

    file: str
    xml: str

    @property
    def drawing(self) -> str:
        """The path of its copy with the verdict drawn on it, below the folder of these."""
        return self.xml.removesuffix(XML_SUFFIX) + DRAWING_SUFFIX


class PictureFolder(NamedTuple):
    """A folder that holds pictures. There can be many: of each only the name is kept.

    Attributes:
        path: The folder's path below the input folder, empty for that itself.
        names: The pictures' names in byte order.
    """

    path: str
    names: tuple[str, ...]

    @property
    def files(self) -> Iterator[str]:
        """The pictures' paths below the input folder."""
        return (_join(self.path, name) for name in self.names)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures with the names of their XML files."""
        levels = _levels(self.names)
        for name in self.names:
            xml = _form(name, levels.get(name, 0))
            yield PictureFile(_join(self.path, name), _join(self.path, xml))


class Listing(NamedTuple):
    """What a folder holds.

    Attributes:
        folders: The folders in byte order of their paths, without those that hold no picture.
        ignored: How many other files there are.
    """

    folders: tuple[PictureFolder, ...]
    ignored: int

    @property
    def total(self) -> int:
        """How many pictures there are."""
        return sum(len(folder.names) for folder in self.folders)

    @property
    def files(self) -> Iterator[str]:
        """The pictures' paths in byte order, folder by folder."""
        return (file for folder in self.folders for file in folder.files)

    @property
    def pictures(self) -> Iterator[PictureFile]:
        """The pictures in byte order of their paths, folder by folder."""
        return (picture for folder in self.folders for picture in folder.pictures)


def list_pictures(folder: Path, recursive: bool = False, skip: Collection[Path] = ()) -> Listing:
    """Lists the pictures of a folder.

    A picture is a regular file (or a link to one) whose name ends in a known extension in any
    case, or whose first bytes are those of a known format. Linked folders are not entered.

    Args:
        folder: The input folder.
        recursive: Enter the folders below it too.
        skip: Folders that are not entered, such as an output folder inside the input.

    Raises:
        UsageError: The folder cannot be read.
    """
    left_out = {path.resolve() for path in skip}
    found: list[PictureFolder] = []
    ignored = 0
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        pictures, folders, others = _scan(folder / parent)
        ignored += others
        if pictures:
            found.append(PictureFolder(parent, tuple(sorted(pictures, key=os.fsencode))))
        if recursive:
            below = [_join(parent, name) for name in sorted(folders, key=os.fsencode)]
            waiting += [
                path for path in reversed(below) if (folder / path).resolve() not in left_out
            ]
    return Listing(tuple(found), ignored)


def picture_id(file: str) -> str:
    """A picture's file name without its last extension."""
    return os.path.splitext(PurePosixPath(file).name)[0]


def xml_names(names: Sequence[str]) -> list[str]:
    """Names the XML files of the pictures of one folder, no two alike.

    A name is the picture's without its extension; pictures that would share one keep their
    extensions instead, and if even that is taken, they get a hash. A name that is too long is cut
    and told apart by a hash.
    """
    levels = _levels(names)
    return [_form(name, levels.get(name, 0)) for name in names]


def _levels(names: Sequence[str]) -> dict[str, int]:
    """Says which form (see `_form`) those names get that cannot have the first."""
    levels: dict[str, int] = {}
    while True:
        seen: set[str] = set()
        shared: set[str] = set()
        for name in names:
            xml = _form(name, levels.get(name, 0))
            (shared if xml in seen else seen).add(xml)
        if not shared:
            return levels
        sharing: dict[str, list[str]] = defaultdict(list)
        for name in names:
            xml = _form(name, levels.get(name, 0))
            if xml in shared:
                sharing[xml].append(name)
        for group in sharing.values():
            lowest = min(levels.get(name, 0) for name in group)
            for name in group:
                if levels.get(name, 0) == lowest:
                    levels[name] = lowest + 1


def _form(name: str, level: int) -> str:
    """The name of a picture's XML file: without extension (0), with it (1), or with a hash (2)."""
    if level == 0:
        return _fitting(os.path.splitext(name)[0])
    return _fitting(name) if level == 1 else _hashed(name)


def _fitting(base: str) -> str:
    """The base with its suffix, or its hashed form where that is too long for a file name."""
    fits = len(os.fsencode(base)) <= _LONGEST_NAME - len(XML_SUFFIX)
    return base + XML_SUFFIX if fits else _hashed(base)


def _hashed(base: str) -> str:
    """The base with a hash, cut at a character's border where it would be too long."""
    import hashlib  # late: few names need it

    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:_HASH_DIGITS]
    ending = f"~{digest}{XML_SUFFIX}"
    while len(os.fsencode(base)) > _LONGEST_NAME - len(ending):
        base = base[:-1]
    return base + ending


def _scan(folder: Path) -> tuple[list[str], list[str], int]:
    """Names the pictures and the folders in a folder, in any order, and counts the other files."""
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
        return known  # it gets a verdict that says so
    except OSError:  # a link that leads nowhere
        return False


def _join(parent: str, name: str) -> str:
    return f"{parent}/{name}" if parent else name
