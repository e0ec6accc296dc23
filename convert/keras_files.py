"""Opens the `.keras` files of face networks together with their manifest entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceRefinerEntry
from image_gender_classifier.train.common.keras_runtime import KerasRuntime, open_keras_model
from image_gender_classifier.train.common.run_record import check_run_finished

_Entry = TypeVar("_Entry", FaceDetectorEntry, FaceRefinerEntry)


def open_listed_keras(
    path: Path, list_entries: Callable[[Manifest], Mapping[str, _Entry]], what: str, program: str
) -> tuple[KerasRuntime, _Entry]:
    """Opens a `.keras` file that the manifest of its folder lists.

    Args:
        path: The file.
        list_entries: Returns the entries of its kind, by file name.
        what: What the network is, such as "face detector".
        program: The command that trains it.

    Returns:
        The runtime and the manifest entry.

    Raises:
        ModelError: The model or its manifest is missing or corrupt, the training did not finish, or
            the manifest does not list the model as such a network.
    """
    check_run_finished(path)
    entry = list_entries(manifest.load(path.parent)).get(path.name)
    if entry is None:
        raise ModelError(
            f"{path}: manifest.json does not list this file as a {what}; use a model trained with "
            f"{program}"
        )
    manifest.read_verified(path.parent, entry)
    return open_keras_model(path), entry
