"""Reads and hashes the backgrounds of synthetic scenes: pictures without people."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.scan import list_pictures
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.datasets import SkippedItems
from image_gender_classifier.train.datasets.unfinished import name_unfinished

_KEY_DIGITS = 16
_WITH_PEOPLE = "caltech_people.txt"
_SIDE = 256  # pixels; larger backgrounds are shrunk to less than twice this


@dataclass(frozen=True, slots=True, eq=False)
class Backgrounds:
    """Pictures without people.

    Attributes:
        names: Paths relative to the folder of backgrounds.
        pictures: Pixels in the order of `names`, each uint8 RGB, H x W x 3.
        unreadable: Names of the pictures that were skipped because they cannot be decoded.
    """

    names: Sequence[str]
    pictures: Sequence[Pixels]
    unreadable: Sequence[str] = ()


def hash_backgrounds(backgrounds: Backgrounds) -> str:
    """Returns a hash of the backgrounds' names and pixels, for the run record."""
    content = hashlib.sha256()
    for name, pixels in zip(backgrounds.names, backgrounds.pictures, strict=True):
        content.update(f"{name}\0{pixels.shape}\n".encode("utf-8", "surrogateescape"))
        content.update(pixels.tobytes())
    return content.hexdigest()[:_KEY_DIGITS]


def read_backgrounds_and_report(folder: Path) -> Backgrounds:
    """Reads the backgrounds like `read_backgrounds`; prints the names of unreadable pictures."""
    found = read_backgrounds(folder)
    if found.unreadable:
        print_line(str(SkippedItems("unreadable backgrounds", tuple(found.unreadable))), sys.stdout)
    return found


def list_names_with_people() -> frozenset[str]:
    """Returns the names of the pictures of Caltech-101 that show people in other classes.

    A network that learns that these faces are none misses others.
    """
    return frozenset((files(__package__) / _WITH_PEOPLE).read_text("utf-8").split())


def read_backgrounds(folder: Path) -> Backgrounds:
    """Reads all pictures in a folder of backgrounds and its subfolders; skips unreadable ones.

    Skips the pictures of Caltech-101 that show people.

    Returns:
        The pictures; large ones are shrunk to a longer side of less than 512 pixels.

    Raises:
        UsageError: The folder or a subfolder cannot be read, or none of its pictures can be
            decoded.
        Unfinished: Memory is short, or a picture cannot be read at present.
    """
    names: list[str] = []
    pictures: list[Pixels] = []
    unreadable: list[str] = []
    listing = list_pictures(folder, recursive=True)
    for unread in listing.unread:
        raise UsageError(f"{folder / unread.path}: the folder cannot be read ({unread.reason})")
    with_people = list_names_with_people()
    for picture in listing.pictures:
        if picture.file in with_people:
            continue
        try:
            with name_unfinished(folder / picture.file):
                pixels = decoding.read(folder / picture.file, _SIDE).pixels
        except UnreadablePicture:
            unreadable.append(picture.file)
        else:
            names.append(picture.file)
            pictures.append(pixels)
    if not names:
        raise UsageError(f"--backgrounds {folder}: the folder contains no readable pictures")
    return Backgrounds(names, pictures, unreadable)
