"""Model folders: creates them, reads their manifest and changes its entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from image_gender_classifier import manifest
from image_gender_classifier.errors import OutputError
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import (
    FaceDetectorEntry,
    FaceRefinerEntry,
    NetworkEntry,
)


def load_manifest_or_empty(folder: Path) -> Manifest:
    """Reads the manifest of a model folder; returns an empty one if there is no `manifest.json`.

    Raises:
        ModelError: The manifest cannot be read or is corrupt.
    """
    return manifest.load(folder) if (folder / manifest.NAME).exists() else Manifest(folder)


def dump_updated_manifest(
    folder: Path, entries: Iterable[NetworkEntry], without: Collection[str] = ()
) -> bytes:
    """Serialises a folder's manifest with entries added, replaced or removed; does not write it.

    Args:
        folder: The model folder.
        entries: Entries to add; each replaces an entry of the same file.
        without: Names of the networks whose entries are removed before `entries` are added.

    Returns:
        The new content of `manifest.json`, in UTF-8.

    Raises:
        ModelError: The folder's manifest cannot be read or is corrupt.
    """
    before = load_manifest_or_empty(folder)
    kept = [entry for name, entry in before.networks.items() if name not in without]
    models, face_detectors, face_refiners = {}, {}, {}
    for entry in (*kept, *entries):
        if isinstance(entry, FaceDetectorEntry):
            face_detectors[entry.file] = entry
        elif isinstance(entry, FaceRefinerEntry):
            face_refiners[entry.file] = entry
        else:
            models[entry.file] = entry
    after = before._replace(
        models=models, face_detectors=face_detectors, face_refiners=face_refiners
    )
    # A recorded command can contain a path that is not valid Unicode.
    return manifest.dump(after).encode("utf-8", "replace")


def make_folder(folder: Path) -> Path:
    """Creates a folder if missing and returns it.

    Raises:
        OutputError: The folder cannot be created.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be created ({error.strerror})") from None
    return folder
