"""Names of the output files: unique for each picture."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

XML_SUFFIX = ".xml"
_MAX_NAME = 255  # bytes: the limit of every common file system
_HASH_DIGITS = 8


class PictureFile(NamedTuple):
    """A picture in the input folder.

    Attributes:
        file: Its path below the input folder, with forward slashes.
        xml: The path of its XML file below the output folder.
    """

    file: str
    xml: str

    def named(self, suffix: str) -> str:
        """Returns the path of its output file with another ending than `.xml`."""
        return self.xml.removesuffix(XML_SUFFIX) + suffix


def picture_id(file: str) -> str:
    """Returns a file name without its last extension."""
    return os.path.splitext(PurePosixPath(file).name)[0]


def xml_names(names: Sequence[str]) -> list[str]:
    """Returns unique names for the XML files of the pictures of one folder.

    The name is that of the picture without its extension. Pictures that would share a name keep
    their extensions, or get a hash if that is not enough. A name that is too long is cut and gets
    a hash.
    """
    levels = name_levels(names)
    return [xml_name(name, levels.get(name, 0)) for name in names]


def name_levels(names: Sequence[str]) -> dict[str, int]:
    """Returns the level (see `xml_name`) of each name that cannot have level 0."""
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
    """Returns an XML file name: without extension (0), with extension (1) or with a hash (2)."""
    if level == 0:
        return _fitting(os.path.splitext(name)[0])
    return _fitting(name) if level == 1 else _hashed(name)


def _fitting(base: str) -> str:
    """Appends the suffix, or hashes a name that is too long."""
    fits = len(os.fsencode(base)) <= _MAX_NAME - len(XML_SUFFIX)
    return base + XML_SUFFIX if fits else _hashed(base)


def _hashed(base: str) -> str:
    """Appends a hash and the suffix; cuts whole characters from a name that is too long."""
    import hashlib  # rarely needed

    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:_HASH_DIGITS]
    ending = f"~{digest}{XML_SUFFIX}"
    while len(os.fsencode(base)) > _MAX_NAME - len(ending):
        base = base[:-1]
    return base + ending
