"""Listing of pictures, which reads each folder once.

On a network disk, listing a folder takes milliseconds, but checking 100,000 files one by one takes
seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from image_gender_classifier.imaging.headers import EXTENSIONS
from image_gender_classifier.train.datasets.reading import DataError


def is_picture_name(name: str) -> bool:
    """Reports whether a file name is that of a picture."""
    return os.path.splitext(name)[1].lower() in EXTENSIONS


def list_pictures(root: Path, is_wanted: Callable[[str], bool] = is_picture_name) -> list[str]:
    """Finds all pictures in a folder and its subfolders; follows links to folders.

    Args:
        root: The folder.
        is_wanted: Selects file names; by default, those with the suffix of a picture format.

    Returns:
        Names relative to `root` with forward slashes, sorted.

    Raises:
        DataError: `root` is not a folder, a folder cannot be read, or a picture is not a file.
    """
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder with pictures, found none")
    names: list[str] = []
    waiting = [""]
    seen: set[str] = set()  # guards against loops of links
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
    """Gives the names of the pictures directly in a folder; empty if the folder is missing.

    Raises:
        DataError: The folder cannot be read.
    """
    if not folder.is_dir():
        return frozenset()
    return frozenset(_scan(folder, is_picture_name)[0])


def _scan(folder: Path, is_wanted: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """Gives the names of pictures and of subfolders in a folder, unordered."""
    pictures: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):  # such as macOS's `._1.jpg`
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
    """Raises DataError if an entry with a picture's name is not a regular file."""
    try:
        is_file = entry.is_file()
    except OSError:
        is_file = False
    if not is_file:
        raise DataError(f"{entry.path}: is a pipe, socket, device or broken link; remove it")
