"""Reads the XML files of an earlier run, and finds the pictures that belong to them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import read_regular_file
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.settings import XML_SUFFIX
from image_gender_classifier.outputs.xml import decode_prediction
from image_gender_classifier.outputs.xml_folder import MAX_BYTES
from image_gender_classifier.results import Prediction
from image_gender_classifier.system.listed_names import ListedNames


class Reviewed(NamedTuple):
    """A picture to review.

    Attributes:
        prediction: Its prediction.
        xml: The XML file.
    """

    prediction: Prediction
    xml: Path

    def read_xml(self) -> str:
        """Returns the text of the XML file; a message if it cannot be read any more."""
        try:
            return read_regular_file(self.xml, MAX_BYTES).decode("utf-8", "replace")
        except OSError as error:
            return f"{self.xml.name}: cannot be read ({error.strerror})"


def make_title(folder: Path) -> str:
    """Returns the heading of the page."""
    return f"Review of {folder.resolve().name or folder}"


def check_pictures(folder: Path, items: Sequence[Reviewed]) -> None:
    """Checks that a folder has a picture of these predictions.

    Args:
        folder: The folder of pictures.
        items: The predictions, at least one.

    Raises:
        UsageError: It has none.
    """
    if not any(os.path.lexists(folder / item.prediction.file) for item in items):
        raise UsageError(
            f"-i {folder}: has no picture of the predictions, such as "
            f"{escape_text(items[0].prediction.file)!r}; give the folder that was classified"
        )


def read_items(folder: Path) -> list[Reviewed]:
    """Reads the XML files of a folder and its subfolders.

    Other XML files are ignored, and symbolic links are not followed. If two files belong to one
    picture, the newer one counts.

    Args:
        folder: The output folder of earlier runs.

    Returns:
        The pictures, sorted by the bytes of their paths.

    Raises:
        UsageError: The folder has no XML file of a prediction.
    """
    found: dict[str, Reviewed] = {}
    for path in _list_xml_files(folder):
        try:
            prediction = decode_prediction(read_regular_file(path, MAX_BYTES))
        except (OSError, ValueError):
            continue
        if not is_below(prediction.file):
            continue
        other = found.get(prediction.file)
        if other is None or _modified(path) > _modified(other.xml):
            found[prediction.file] = Reviewed(prediction, path)
    if not found:
        raise UsageError(
            f"-o {folder}: no XML file of image-gender-classifier in this folder; classify the "
            "pictures first"
        )
    return [found[file] for file in sorted(found, key=os.fsencode)]


def find_missing(folder: Path, files: Iterable[str]) -> set[str]:
    """Returns the pictures that a folder lacks.

    Args:
        folder: The folder of pictures.
        files: Paths of the pictures, relative to it.
    """
    names = ListedNames(folder)
    return {file for file in files if not names.has(file)}


def is_below(file: str) -> bool:
    """Returns whether a path from an XML file stays below the folder of pictures."""
    path = PurePosixPath(file)
    return (
        bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in file
    )


def resolve_picture(root: str, file: str) -> str | None:
    """Returns the real path of a picture relative to its folder; None if it is elsewhere.

    Args:
        root: Real path of the folder of pictures.
        file: Path of the picture, which may lead through symbolic links.
    """
    path = os.path.realpath(os.path.join(root, file))  # noqa: PTH118  keeps lone surrogates
    inside = os.path.commonpath([root, path]) == root
    return os.path.relpath(path, root) if inside and os.path.isfile(path) else None  # noqa: PTH113


def _list_xml_files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(XML_SUFFIX):
                yield Path(parent, name)


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
