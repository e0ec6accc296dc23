"""Backgrounds: pictures without people, for synthetic scenes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_gender_classifier.errors import UnreadablePicture, UsageError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.scan import list_pictures
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.datasets import LeftOut

_KEY_DIGITS = 16
_SIDE = 256  # pixels; larger backgrounds are shrunk to less than twice this


@dataclass(frozen=True, slots=True, eq=False)
class Backgrounds:
    """Pictures without people.

    Attributes:
        names: Paths relative to their folder.
        pictures: uint8 RGB, H x W x 3 each.
        unreadable: Names of the pictures that cannot be read.
    """

    names: Sequence[str]
    pictures: Sequence[Pixels]
    unreadable: Sequence[str] = ()


def key(backgrounds: Backgrounds) -> str:
    """Hashes the backgrounds' names and sizes."""
    lines = [
        f"{name}\0{pixels.shape}"
        for name, pixels in zip(backgrounds.names, backgrounds.pictures, strict=True)
    ]
    content = "\n".join(lines).encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).hexdigest()[:_KEY_DIGITS]


def read_reported(folder: Path) -> Backgrounds:
    """Reads backgrounds as `read` does and prints which pictures are unreadable."""
    found = read(folder)
    if found.unreadable:
        say(str(LeftOut("unreadable backgrounds", tuple(found.unreadable))), sys.stdout)
    return found


def read(folder: Path) -> Backgrounds:
    """Reads all pictures of a folder and its subfolders.

    Raises:
        UsageError: The folder cannot be read, or none of its pictures can.
    """
    names: list[str] = []
    pictures: list[Pixels] = []
    unreadable: list[str] = []
    for picture in list_pictures(folder, recursive=True).pictures:
        try:
            pixels = decoding.read(folder / picture.file, _SIDE).pixels
        except UnreadablePicture:
            unreadable.append(picture.file)
        else:
            names.append(picture.file)
            pictures.append(pixels)
    if not names:
        raise UsageError(f"{folder}: has no readable picture")
    return Backgrounds(names, pictures, unreadable)
