"""Reads and writes `manifest.json`, which describes the model files in its folder.

Input size, framing, calibration, thresholds and hashes are in the manifest, not in the code.
`read_verified` compares the SHA-256 hash of a file with the manifest, so a corrupt or replaced file
is an error at start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple, TypeVar

from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.parsing import (
    Fields,
    format_entry,
    parse_cascade,
    parse_face_detector,
    parse_face_refiner,
    parse_model,
)
from image_gender_classifier.manifest.schema import (
    CascadeEntry,
    FaceDetectorEntry,
    FaceRefinerEntry,
    ModelEntry,
    NetworkEntry,
    VerifiedFile,
)
from image_gender_classifier.system.files import read_document

NAME = "manifest.json"
VERSION = 2
GENDER_TASK = "perceived gender"
CASCADE_TASK = "face detection (cascade)"
FACE_DETECTOR_TASK = "face detection (network)"
FACE_REFINER_TASK = "face refinement (network)"
_TASKS = frozenset((GENDER_TASK, CASCADE_TASK, FACE_DETECTOR_TASK, FACE_REFINER_TASK))
_MAX_BYTES = 2**30  # of a model file
_NOTHING: Mapping[str, Any] = {}
_EntryType = TypeVar("_EntryType")


class Manifest(NamedTuple):
    """The manifest of a folder of model files.

    Attributes:
        folder: The folder.
        models: Entries of gender classifiers, by file name.
        cascades: Entries of cascades, in the order of the file; detectors use the first.
        face_detectors: Entries of face detector networks, by file name.
        face_refiners: Entries of face refiner networks, by file name.
        others: Entries with other tasks as JSON objects, by file name; for added detectors with
            their own kind of model.
    """

    folder: Path
    models: Mapping[str, ModelEntry] = _NOTHING
    cascades: tuple[CascadeEntry, ...] = ()
    face_detectors: Mapping[str, FaceDetectorEntry] = _NOTHING
    face_refiners: Mapping[str, FaceRefinerEntry] = _NOTHING
    others: Mapping[str, Fields] = _NOTHING

    @property
    def networks(self) -> Mapping[str, NetworkEntry]:
        """Entries of gender classifiers, face detector and face refiner networks, by file name."""
        return {**self.models, **self.face_detectors, **self.face_refiners}


def load(folder: Path) -> Manifest:
    """Reads the manifest of a folder.

    Args:
        folder: Folder with `manifest.json`.

    Returns:
        The manifest.

    Raises:
        ModelError: The manifest cannot be read, is not valid JSON or has another version, or a
            field is missing or invalid.
    """
    path = folder / NAME
    try:
        content = json.loads(read_document(path).decode("utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path}: the manifest cannot be read ({error.strerror}); each folder of models needs "
            "one: keep the model next to its own, reinstall the package or convert the model again"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path}: the manifest is not valid JSON ({error}); reinstall the package if it is the "
            "shipped model, or convert the model again"
        ) from None
    try:
        if content["manifest_version"] != VERSION:
            raise ModelError(
                f"{path}: manifest version {content['manifest_version']} is not supported "
                f"(expected {VERSION}); convert the model again with this release, or reinstall "
                "the package if it is the shipped model"
            )
        files = content["files"]
        return Manifest(
            folder,
            _parse_entries(files, GENDER_TASK, parse_model),
            tuple(_parse_entries(files, CASCADE_TASK, parse_cascade).values()),
            _parse_entries(files, FACE_DETECTOR_TASK, parse_face_detector),
            _parse_entries(files, FACE_REFINER_TASK, parse_face_refiner),
            {file: fields for file, fields in files.items() if fields["task"] not in _TASKS},
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(
            f"{path}: a field is missing or invalid ({error}); convert the model again"
        ) from None


def _parse_entries(
    files: Mapping[str, Fields], task: str, parse: Callable[[str, Fields], _EntryType]
) -> dict[str, _EntryType]:
    """Returns the parsed entries of a task, by file name."""
    return {file: parse(file, fields) for file, fields in files.items() if fields["task"] == task}


def dump(manifest: Manifest) -> str:
    """Returns the text of `manifest.json`; the inverse of `load`."""
    files: dict[str, Any] = {}
    for cascade in manifest.cascades:
        files[cascade.file] = format_entry(CASCADE_TASK, cascade)
    for face_detector in manifest.face_detectors.values():
        files[face_detector.file] = format_entry(FACE_DETECTOR_TASK, face_detector)
    for face_refiner in manifest.face_refiners.values():
        files[face_refiner.file] = format_entry(FACE_REFINER_TASK, face_refiner)
    for model in manifest.models.values():
        files[model.file] = format_entry(GENDER_TASK, model)
    files.update(manifest.others)
    content = {"manifest_version": VERSION, "files": files}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_verified(folder: Path, entry: VerifiedFile) -> bytes:
    """Reads a model file and compares its hash with the manifest.

    Args:
        folder: Folder of the file.
        entry: Its entry in the manifest, or the float32 variant of an entry.

    Returns:
        The content of the file.

    Raises:
        ModelError: The file cannot be read, is larger than 1 GiB, or its hash differs.
    """
    path = folder / entry.file
    try:
        data = read_document(path, _MAX_BYTES)
    except OSError as error:
        raise ModelError(
            f"{path}: the model file cannot be read ({error.strerror}); reinstall the package or "
            "convert the model again"
        ) from None
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ModelError(
            f"{path}: the file does not match the hash in its manifest (corrupt or changed); "
            "reinstall the package or convert the model again"
        )
    return data


def find_model(path: Path) -> ModelEntry:
    """Returns the manifest entry of a gender classifier.

    Args:
        path: The model file, in the same folder as its manifest.

    Raises:
        ModelError: The file is missing or cannot be read, its manifest cannot be loaded (see
            `load`), or the manifest does not list the file as a gender classifier.
    """
    try:
        why = None if S_ISREG(path.stat().st_mode) else "no such file"
    except (FileNotFoundError, NotADirectoryError):
        why = "no such file"
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = f"the file cannot be read ({getattr(error, 'strerror', None) or error})"
    if why is not None:
        raise ModelError(f"{path}: {why}; check the path of the model")
    models = load(path.parent).models
    entry = models.get(path.name)
    if entry is None:
        for known in models.values():
            if known.float32_variant is not None and known.float32_variant.file == path.name:
                raise ModelError(
                    f"{path}: this is the float32 variant of {known.file} for tflite-runtime; give "
                    f"the path of {known.file} instead, and keep this file in the same folder"
                )
        raise ModelError(
            f"{path}: the manifest in its folder does not list this file; create both with "
            "image-gender-train or image-gender-convert"
        )
    return entry
