"""Chooses the names of output subfolders, and finds the names that no XML file in them may get."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.listing import Listing, PictureFolder, join_path
from image_gender_classifier.outputs.naming import (
    NameRules,
    collision_key,
    make_folder_names,
)
from image_gender_classifier.outputs.settings import XML_SUFFIX


def choose_output_names(
    listing: Listing, pictures: Path, out: Path, rules: NameRules, in_full: bool = False
) -> Listing:
    """Chooses the output subfolder of each input folder, and finds the names to avoid in it.

    An XML file must not have the name of a subfolder or, if the output subfolder is also an input
    folder, of a picture. Pictures may be named `a.xml`, because they are also recognised by their
    first bytes.

    Args:
        listing: The pictures.
        pictures: The input folder.
        out: The output folder of the XML files.
        rules: The names that the output folder accepts.
        in_full: Whether an output keeps the extensions of the pictures.

    Returns:
        A copy of the listing with `output`, `rules` and `taken` set in each folder.
    """
    paths, below = _output_paths((folder.path for folder in listing.folders), rules)
    at_risk = _find_pictures_named_like_xml(listing, pictures, rules)

    def place(folder: PictureFolder) -> PictureFolder:
        path = paths[folder.path]
        taken = below.get(folder.path, [])
        if at_risk:
            places = _folder_identities(out / path, rules)
            taken = [*taken, *(name for place in places for name in at_risk.get(place, ()))]
        keys = frozenset(collision_key(name, rules) for name in taken if _is_named_like_xml(name))
        return folder._replace(output=path, rules=rules, taken=keys, named_in_full=in_full)

    return listing._replace(folders=tuple(map(place, listing.folders)))


def _output_paths(
    paths: Iterable[str], rules: NameRules
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Chooses the output paths of folders and of all folders above them.

    Args:
        paths: Paths of folders, relative to the input folder; "" is the input folder itself.
        rules: The names that the output folder accepts.

    Returns:
        A dict from the path of each folder to its output path, relative to the output folder; and a
        dict from the path of each folder to the names of its output subfolders.
    """
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
        found = make_folder_names(sorted(below.get(parent, ()), key=os.fsencode), rules)
        names[parent] = list(found.values())
        for name, output in found.items():
            path = join_path(parent, name)
            outputs[path] = join_path(outputs[parent], output)
            queue.append(path)
    return outputs, names


def _find_pictures_named_like_xml(
    listing: Listing, pictures: Path, rules: NameRules
) -> dict[object, list[str]]:
    """Finds the pictures whose names end with `.xml`.

    Returns:
        A dict from each identity of an input folder (see `_folder_identities`) to the names of
        these pictures in it. Folders without such pictures are omitted.
    """
    found: dict[object, list[str]] = {}
    for folder in listing.folders:
        names = [name for name in folder.names if _is_named_like_xml(name)]
        if names:
            found |= dict.fromkeys(_folder_identities(pictures / folder.path, rules), names)
    return found


def _is_named_like_xml(name: str) -> bool:
    """Returns whether a file name ends with `.xml` (case-insensitive)."""
    return name[-len(XML_SUFFIX) :].lower() == XML_SUFFIX


def _folder_identities(folder: Path, rules: NameRules) -> Iterator[object]:
    """Yields the identities of a folder: its normalised path and, if it exists, device and inode.

    Two folders are the same if they share either: a folder may be mounted at two paths, and on
    exFAT under FUSE the inode depends on the spelling of the name.
    """
    yield collision_key(os.path.realpath(folder), rules)
    with suppress(OSError):  # the folder does not exist yet
        status = folder.stat()
        yield status.st_dev, status.st_ino
