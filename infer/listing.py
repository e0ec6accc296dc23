"""Which files of a folder are pictures, in a stable order, and what their XML files are called."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from image_gender_classifier.errors import UsageError
from image_gender_classifier.headers import EXTENSIONS, sniff

XML_SUFFIX = ".xml"
_LONGEST_NAME = 255  # bytes: what every common file system takes
_SNIFFED_BYTES = 18
_HASH_DIGITS = 8


@dataclass(frozen=True, slots=True)
class PictureFile:
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
        return self.xml.removesuffix(XML_SUFFIX) + ".jpg"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds.

    Attributes:
        pictures: The pictures in byte order of their paths, folder by folder.
        ignored: How many other files there are.
    """

    pictures: tuple[PictureFile, ...]
    ignored: int


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
    pictures: list[PictureFile] = []
    ignored = 0
    left_out = {path.resolve() for path in skip}
    for parent, names in _walk(folder, recursive, left_out):
        chosen = [name for name in names if _is_picture(folder / parent / name)]
        ignored += len(names) - len(chosen)
        for name, xml in zip(chosen, xml_names(chosen), strict=True):
            pictures.append(PictureFile(_join(parent, name), _join(parent, xml)))
    return Listing(tuple(pictures), ignored)


def picture_id(file: str) -> str:
    """A picture's file name without its last extension."""
    return os.path.splitext(PurePosixPath(file).name)[0]


def xml_names(names: Sequence[str]) -> list[str]:
    """Names the XML files of the pictures of one folder, no two alike.

    A name is the picture's without its extension; pictures that would share one keep their
    extensions instead, and if even that is taken, they get a hash. A name that is too long is cut
    and told apart by a hash.
    """
    forms = [(_fitting(os.path.splitext(name)[0]), _fitting(name), _hashed(name)) for name in names]
    levels = [0] * len(names)
    while True:
        sharing: dict[str, list[int]] = defaultdict(list)
        for i, level in enumerate(levels):
            sharing[forms[i][level]].append(i)
        clashes = [group for group in sharing.values() if len(group) > 1]
        if not clashes:
            return [form[level] for form, level in zip(forms, levels, strict=True)]
        for group in clashes:
            lowest = min(levels[i] for i in group)
            for i in group:
                levels[i] += levels[i] == lowest


def _fitting(base: str) -> str:
    """The base with its suffix, or its hashed form where that is too long for a file name."""
    fits = len(os.fsencode(base)) <= _LONGEST_NAME - len(XML_SUFFIX)
    return base + XML_SUFFIX if fits else _hashed(base)


def _hashed(base: str) -> str:
    """The base with a hash, cut at a character's border where it would be too long."""
    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:_HASH_DIGITS]
    ending = f"~{digest}{XML_SUFFIX}"
    while len(os.fsencode(base)) > _LONGEST_NAME - len(ending):
        base = base[:-1]
    return base + ending


def _walk(
    folder: Path, recursive: bool, left_out: Collection[Path]
) -> Iterator[tuple[str, list[str]]]:
    """Yields each folder's path below the input and its files' names, both in byte order."""
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        files, folders = _scan(folder / parent)
        yield parent, sorted(files, key=os.fsencode)
        if recursive:
            below = [_join(parent, name) for name in sorted(folders, key=os.fsencode)]
            waiting += [
                path for path in reversed(below) if (folder / path).resolve() not in left_out
            ]


def _scan(folder: Path) -> tuple[list[str], list[str]]:
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                (folders if is_folder else files).append(entry.name)
    except OSError as error:
        raise UsageError(f"{folder}: the folder cannot be read ({error.strerror})") from None
    return files, folders


def _is_picture(path: Path) -> bool:
    known = path.name.lower().endswith(tuple(EXTENSIONS))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        if known:
            return True
        with path.open("rb") as file:
            return sniff(file.read(_SNIFFED_BYTES)) is not None
    except PermissionError:
        return known  # it gets a verdict that says so
    except OSError:  # a link that leads nowhere
        return False


def _join(parent: str, name: str) -> str:
    return f"{parent}/{name}" if parent else name
