"""Names of output files: one XML file for each picture, no two alike."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

XML_SUFFIX, DRAWING_SUFFIX = ".xml", ".jpg"
_LONGEST_NAME = 255  # bytes: what every common file system takes
_HASH_DIGITS = 8


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


def picture_id(file: str) -> str:
    """A picture's file name without its last extension."""
    return os.path.splitext(PurePosixPath(file).name)[0]


def xml_names(names: Sequence[str]) -> list[str]:
    """Names the XML files of the pictures of one folder, no two alike.

    A name is the picture's without its extension; pictures that would share one keep their
    extensions instead, and if even that is taken, they get a hash. A name that is too long is cut
    and told apart by a hash.
    """
    levels = name_levels(names)
    return [xml_name(name, levels.get(name, 0)) for name in names]


def name_levels(names: Sequence[str]) -> dict[str, int]:
    """Says which form (see `xml_name`) those names get that cannot have the first."""
    levels: dict[str, int] = {}
    while True:
        seen: set[str] = set()
        shared: set[str] = set()
        for name in names:
            xml = xml_name(name, levels.get(name, 0))
            (shared if xml in seen else seen).add(xml)
        if not shared:
            return levels
        sharing: dict[str, list[str]] = defaultdict(list)
        for name in names:
            xml = xml_name(name, levels.get(name, 0))
            if xml in shared:
                sharing[xml].append(name)
        for group in sharing.values():
            lowest = min(levels.get(name, 0) for name in group)
            for name in group:
                if levels.get(name, 0) == lowest:
                    levels[name] = lowest + 1


def xml_name(name: str, level: int) -> str:
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
