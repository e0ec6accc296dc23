"""Gives the pictures of a folder names in the output folder that it can hold and that are free."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.outputs.naming import (
    XML_SUFFIX,
    NameRules,
    folder_names,
    name_key,
)
from image_gender_classifier.scan import Listing, PictureFolder, join


def placed(listing: Listing, pictures: Path, out: Path, rules: NameRules) -> Listing:
    """Chooses where each folder's XML files go, and the names that these may not have.

    Those are the names of the output's subfolders, and of pictures where the output folder is an
    input folder too: a picture may be called `a.xml`, as pictures are recognised by their first
    bytes too.

    Args:
        listing: The pictures.
        pictures: The input folder.
        out: The output folder.
        rules: The names that the output folder can hold.
    """
    paths, below = _output_paths((folder.path for folder in listing.folders), rules)
    at_risk = _named_like_xml(listing, pictures, rules)

    def place(folder: PictureFolder) -> PictureFolder:
        path = paths[folder.path]
        taken = below.get(folder.path, [])
        if at_risk:
            places = _places(out / path, rules)
            taken = [*taken, *(name for place in places for name in at_risk.get(place, ()))]
        keys = frozenset(name_key(name, rules) for name in taken if _is_named_like_xml(name))
        return folder._replace(output=path, rules=rules, taken=keys)

    return listing._replace(folders=tuple(map(place, listing.folders)))


def _output_paths(
    paths: Iterable[str], rules: NameRules
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Returns the path in the output of each folder, and the names there of its subfolders."""
    below: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        child = path
        while child:
            parent, _, name = child.rpartition("/")
            below[parent].add(name)
            child = parent
    outputs = {"": ""}
    names: dict[str, list[str]] = {}
    queue = [""]
    while queue:
        parent = queue.pop()
        found = folder_names(sorted(below.get(parent, ()), key=os.fsencode), rules)
        names[parent] = list(found.values())
        for name, output in found.items():
            path = join(parent, name)
            outputs[path] = join(outputs[parent], output)
            queue.append(path)
    return outputs, names


def _named_like_xml(listing: Listing, pictures: Path, rules: NameRules) -> dict[object, list[str]]:
    """Returns the pictures that are named like XML files, by what identifies their folders."""
    found: dict[object, list[str]] = {}
    for folder in listing.folders:
        names = [name for name in folder.names if _is_named_like_xml(name)]
        if names:
            found |= dict.fromkeys(_places(pictures / folder.path, rules), names)
    return found


def _is_named_like_xml(name: str) -> bool:
    return name[-len(XML_SUFFIX) :].lower() == XML_SUFFIX


def _places(folder: Path, rules: NameRules) -> Iterator[object]:
    """Yields what identifies a folder: its path, in any spelling, and its place on the disk.

    Neither is enough: a folder can be mounted twice, and exFAT under FUSE numbers files by the
    spelling of their names.
    """
    yield name_key(os.path.realpath(folder), rules)
    with suppress(OSError):  # there is none yet
        status = folder.stat()
        yield status.st_dev, status.st_ino
