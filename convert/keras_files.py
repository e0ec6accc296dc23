"""Opens the `.keras` files of face networks together with their manifest entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceRefinerEntry
from image_gender_classifier.train.common.keras_runtime import KerasRuntime, open_keras_model
from image_gender_classifier.train.common.listed_networks import find_listed

_Entry = TypeVar("_Entry", FaceDetectorEntry, FaceRefinerEntry)


def open_listed_keras(
    path: Path, list_entries: Callable[[Manifest], Mapping[str, _Entry]], kind: str, program: str
) -> tuple[KerasRuntime, _Entry]:
    """Opens a `.keras` file that the manifest of its folder lists.

    Args:
        path: The file.
        list_entries: Returns the entries of its kind, by file name.
        kind: Kind of the network, such as "face detector".
        program: The command that trains it.

    Returns:
        The runtime and the manifest entry.

    Raises:
        ModelError: See `find_listed`.
    """
    entry = find_listed(path, list_entries, kind, program)
    return open_keras_model(path), entry
