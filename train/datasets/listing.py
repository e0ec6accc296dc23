"""Lists pictures by reading each folder once.

Asking the file system for each of 100,000 label rows takes seconds on a network disk; listing
the folders they lie in takes milliseconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from image_gender_classifier.imaging.headers import EXTENSIONS
from image_gender_classifier.train.datasets.reading import DataError


def is_picture_name(name: str) -> bool:
    """Says whether a file of this name counts as a picture."""
    return os.path.splitext(name)[1].lower() in EXTENSIONS


def list_pictures(root: Path, is_wanted: Callable[[str], bool] = is_picture_name) -> list[str]:
    """Finds every picture below a folder, through links to folders too.

    Args:
        root: Where to start.
        is_wanted: Says by a regular file's name whether it is one; by its ending by default.

    Returns:
        Names relative to `root` with forward slashes, sorted, the same on every platform.

    Raises:
        DataError: `root` is no folder, a folder cannot be read, or a picture is no file.
    """
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder with pictures, found none")
    names: list[str] = []
    waiting = [""]
    seen: set[str] = set()  # a link to a folder above would never end
    while waiting:
        prefix = waiting.pop()
        folder = root / prefix
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        pictures, folders = _scan(folder, is_wanted)
        names.extend(prefix + name for name in pictures)
        waiting.extend(f"{prefix}{name}/" for name in sorted(folders, reverse=True))
    return sorted(names)


def pictures_in(folder: Path) -> frozenset[str]:
    """Names of the pictures that lie in one folder itself; none where there is no such folder.

    Raises:
        DataError: The folder cannot be read.
    """
    if not folder.is_dir():
        return frozenset()
    return frozenset(_scan(folder, is_picture_name)[0])


def _scan(folder: Path, is_wanted: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """Names of the pictures and of the folders in one folder, in no order."""
    pictures: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):  # macOS leaves `._1.jpg`, which is no picture
                    continue
                if _is_folder(entry):
                    folders.append(entry.name)
                elif is_wanted(entry.name):
                    _require_file(entry)
                    pictures.append(entry.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot list the folder: {error.strerror}") from error
    return pictures, folders


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _require_file(entry: os.DirEntry[str]) -> None:
    """Refuses what is called a picture and is none, which would otherwise be lost in silence."""
    try:
        is_file = entry.is_file()
    except OSError:
        is_file = False
    if not is_file:
        raise DataError(
            f"{entry.path}: is a pipe, socket, device or a link that leads nowhere; remove it"
        )
