"""Reads a model folder's manifest and updates its entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from image_gender_classifier import manifest
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import FaceDetectorEntry, NetworkEntry


def known(folder: Path) -> Manifest:
    """Reads the folder's manifest; returns an empty one if the file does not exist.

    Raises:
        ModelError: The manifest is corrupt.
    """
    return manifest.load(folder) if (folder / manifest.NAME).exists() else Manifest(folder)


def manifest_with(
    folder: Path, entries: Iterable[NetworkEntry], without: Collection[str] = ()
) -> bytes:
    """Returns a folder's manifest with entries added, replaced or removed; does not write it.

    Args:
        folder: The model folder.
        entries: Entries to add; one for the same file is replaced.
        without: Names of the files whose entries are removed.

    Returns:
        The new content of `manifest.json`.

    Raises:
        ModelError: The folder's manifest is corrupt.
    """
    before = known(folder)
    models = {name: entry for name, entry in before.models.items() if name not in without}
    face_detectors = {
        name: entry for name, entry in before.face_detectors.items() if name not in without
    }
    for entry in entries:
        if isinstance(entry, FaceDetectorEntry):
            face_detectors[entry.file] = entry
        else:
            models[entry.file] = entry
    after = before._replace(models=models, face_detectors=face_detectors)
    # A recorded command can contain a path that is not valid Unicode.
    return manifest.dump(after).encode("utf-8", "replace")
