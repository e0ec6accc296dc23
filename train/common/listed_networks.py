"""Finds the `.keras` files that a training starts from, or that are converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceRefinerEntry
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import held_out_fraction

Entry = TypeVar("Entry", bound=FaceDetectorEntry | FaceRefinerEntry)


@dataclass(frozen=True, slots=True)
class NetworkKind(Generic[Entry]):
    """A kind of network that manifests list.

    Attributes:
        name: Its name, for messages.
        program: The command that trains it.
        list_entries: Returns the entries of this kind in a manifest, by file name.
    """

    name: str
    program: str
    list_entries: Callable[[Manifest], Mapping[str, Entry]]


FACE_DETECTOR = NetworkKind(
    "face detector", "image-gender-train-detector", lambda models: models.face_detectors
)
FACE_REFINER = NetworkKind(
    "face refiner", "image-gender-train-refiner", lambda models: models.face_refiners
)


def find_listed(path: Path, kind: NetworkKind[Entry]) -> Entry:
    """Returns the manifest entry of a `.keras` file, and checks the file.

    Raises:
        ModelError: The model or its manifest is missing or corrupt, the training did not finish, or
            the manifest does not list the model as such a network.
    """
    check_run_finished(path)
    entry = kind.list_entries(manifest.load(path.parent)).get(path.name)
    if entry is None:
        raise ModelError(
            f"{path}: manifest.json does not list this file as a {kind.name}; use a model trained "
            f"with {kind.program}"
        )
    manifest.read_verified(path.parent, entry)
    return entry


def require_other_file(start: Path, trained: Path, variable: str) -> None:
    """Checks that a training does not replace the network that it starts from.

    Args:
        start: The file of that network.
        trained: The file that the training writes.
        variable: The variable of the Makefile that names its folder.

    Raises:
        UsageError: Both paths are the same file.
    """
    if start.resolve() == trained.resolve():
        raise UsageError(
            f"--out {trained.parent}: the new model would replace {start}; use another folder "
            f"(with make: {variable}=folder)"
        )


def check_held_out(start: Path, entry: Entry, data: str, held_out: float) -> None:
    """Checks that no face counts as unseen that a network was trained on.

    Args:
        start: The file of `--from`.
        entry: Its manifest entry.
        data: Hash of the names and labels of the faces.
        held_out: Fraction of the faces that the training holds out.

    Raises:
        UsageError: The network was trained on these faces and held out fewer of them.
    """
    earlier = held_out_fraction(entry)
    if entry.trained.get("data") == data and held_out > earlier:
        raise UsageError(
            f"--from {start}: its training held out {earlier:g} of the same faces, and this one "
            f"holds out {held_out:g}, most of them known to the network; set held_out = "
            f"{earlier:g} or less in the recipe"
        )
