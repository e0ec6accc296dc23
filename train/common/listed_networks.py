"""Finds `.keras` files of face networks in the manifests of their folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceRefinerEntry
from image_gender_classifier.train.common.run_record import check_run_finished

_Entry = TypeVar("_Entry", bound=FaceDetectorEntry | FaceRefinerEntry)


def find_listed(
    path: Path, list_entries: Callable[[Manifest], Mapping[str, _Entry]], kind: str, program: str
) -> _Entry:
    """Returns the manifest entry of a `.keras` file, and checks the file.

    Args:
        path: The file.
        list_entries: Returns the entries of its kind, by file name.
        kind: Kind of the network, such as "face detector".
        program: The command that trains it.

    Raises:
        ModelError: The model or its manifest is missing or corrupt, the training did not finish, or
            the manifest does not list the model as such a network.
    """
    check_run_finished(path)
    entry = list_entries(manifest.load(path.parent)).get(path.name)
    if entry is None:
        raise ModelError(
            f"{path}: manifest.json does not list this file as a {kind}; use a model trained with "
            f"{program}"
        )
    manifest.read_verified(path.parent, entry)
    return entry


def require_other_file(start: Path, trained: Path) -> None:
    """Checks that a training does not replace the network that it starts from.

    Raises:
        UsageError: Both paths are the same file.
    """
    if start.resolve() == trained.resolve():
        raise UsageError(
            f"--out {trained.parent}: the new model would replace {start}; use another folder"
        )
