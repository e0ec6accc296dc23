"""Reads the manifest of a model folder, and adds entries while keeping the others."""

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
    """Adds, replaces and removes entries of a folder's manifest; does not write the file.

    Args:
        folder: The model folder.
        entries: Entries to add; one for the same file is replaced.
        without: File names whose entries to remove.

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
