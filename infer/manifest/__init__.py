"""The manifest: what is known of each model file, and the only place that knows its JSON form.

A model is worth nothing without the numbers it was made with: input size, framing, calibration,
threshold. They stand beside the file in `manifest.json`, so no code carries them, and each file
is read against its hash, so a damaged or swapped one is refused at start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple, get_args

from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import (
    Calibration,
    CascadeEntry,
    Entry,
    FaceDetectorEntry,
    Form,
    ModelEntry,
    NetworkEntry,
)
from image_gender_classifier.results import BinaryGender
from image_gender_classifier.system.files import read_document

NAME = "manifest.json"
_MOST_BYTES = 2**30  # of a model
VERSION = 2
GENDER_TASK = "perceived gender"
DETECTION_TASK = "face detection (cascade)"
FACE_DETECTOR_TASK = "face detection (network)"
_NOTHING: Mapping[str, Any] = {}


class Manifest(NamedTuple):
    """The manifest of a folder of models.

    Attributes:
        folder: Where the files lie.
        models: Gender classifiers by file name.
        cascades: Cascades; the first one searches.
        finders: Face finders by file name.
    """

    folder: Path
    models: Mapping[str, ModelEntry] = _NOTHING
    cascades: tuple[CascadeEntry, ...] = ()
    face_detectors: Mapping[str, FaceDetectorEntry] = _NOTHING


def load(folder: Path) -> Manifest:
    """Reads the manifest of a folder.

    Raises:
        ModelError: It is missing, not valid JSON, of another version or lacks a field.
    """
    path = folder / NAME
    try:
        content = json.loads(read_document(path).decode("utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); a model needs it") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path}: is not valid JSON ({error}); install the package again"
        ) from None
    try:
        if content["manifest_version"] != VERSION:
            raise ModelError(
                f"{path}: is of version {content['manifest_version']}, expected {VERSION}; "
                "convert the model again with this release"
            )
        files = content["files"]
        return Manifest(folder, _models(files), _cascades(files), _face_detectors(files))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(
            f"{path}: a field is missing or of the wrong kind ({error}); convert the model again"
        ) from None


def dump(manifest: Manifest) -> str:
    """Gives the manifest's JSON form, which `load` reads."""
    files: dict[str, Any] = {}
    for cascade in manifest.cascades:
        files[cascade.file] = {"task": DETECTION_TASK, **_without_file(cascade)}
    for face_detector in manifest.face_detectors.values():
        files[face_detector.file] = {"task": FACE_DETECTOR_TASK, **_without_file(face_detector)}
    for model in manifest.models.values():
        files[model.file] = {"task": GENDER_TASK, **_without_file(model)}
    content = {"manifest_version": VERSION, "files": files}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_verified(folder: Path, entry: Entry | Form) -> bytes:
    """Reads a file and checks it against its entry.

    Raises:
        ModelError: It cannot be read or its hash is another.
    """
    path = folder / entry.file
    try:
        data = read_document(path, _MOST_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ModelError(
            f"{path}: is not the file that its manifest describes (damaged or changed); "
            "install the package again or convert the model again"
        )
    return data


def find_model(path: Path) -> ModelEntry:
    """Finds a gender classifier's file in the manifest beside it.

    Raises:
        ModelError: File or manifest is missing, or they don't belong together.
    """
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file")
    models = load(path.parent).models
    entry = models.get(path.name)
    if entry is None:
        for known in models.values():
            if known.in_float is not None and known.in_float.file == path.name:
                raise ModelError(
                    f"{path}: is a form of {known.file}, for tflite-runtime; give the path of "
                    f"{known.file} instead, and keep this file beside it"
                )
        raise ModelError(
            f"{path}: its manifest does not know it; make both with image-gender-train or "
            "image-gender-convert"
        )
    return entry


def _models(files: Mapping[str, Any]) -> dict[str, ModelEntry]:
    models = {}
    for name, fields in files.items():
        if fields["task"] == GENDER_TASK:
            values = _values(fields)
            numbers = {name: float(value) for name, value in values["calibration"].items()}
            values["calibration"] = Calibration(**numbers)
            if not (all(map(isfinite, numbers.values())) and values["calibration"].slope > 0):
                raise ValueError("the calibration must be finite, with a positive slope")
            values["tta_threshold"] = float(values.get("tta_threshold", 0))
            if not 0 <= values["tta_threshold"] <= 1:
                raise ValueError("the second look's bound must lie between 0 and 1")
            if {values["positive"], values["negative"]} != set(get_args(BinaryGender)):
                raise ValueError("positive and negative must be female and male")
            models[name] = ModelEntry(file=name, **values)
    return models


def _face_detectors(files: Mapping[str, Any]) -> dict[str, FaceDetectorEntry]:
    face_detectors = {}
    for name, fields in files.items():
        if fields["task"] == FACE_DETECTOR_TASK:
            values = _values(fields)
            values["candidate_threshold"] = float(values["candidate_threshold"])
            if not 0 <= values["candidate_threshold"] <= values["threshold"]:
                raise ValueError("the suspicion must lie between 0 and the threshold")
            values["smallest_face"] = float(values["smallest_face"])
            if not 0 < values["smallest_face"] <= 1:
                raise ValueError("the smallest face must be more than 0, to 1")
            values["frame_scale"] = float(values["frame_scale"])
            if not 0 < values["frame_scale"] < inf:
                raise ValueError("the frame's scale must be more than 0")
            face_detectors[name] = FaceDetectorEntry(file=name, **values)
    return face_detectors


def _values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a network's entry, as their types have them."""
    values = {key: value for key, value in fields.items() if key != "task"}
    height, width, channels = values["input_shape"]
    values["input_shape"] = (int(height), int(width), int(channels))
    values["threshold"] = float(values["threshold"])
    if not 0 <= values["threshold"] <= 1:
        raise ValueError("the threshold must lie between 0 and 1")
    if "in_float" in values:
        values["in_float"] = _form(values["in_float"])
    return values


def _form(fields: Mapping[str, Any]) -> Form:
    form = Form(**fields)
    name = form.file
    if not (isinstance(name, str) and name and "\0" not in name and Path(name).name == name):
        raise ValueError("a form's file must be a file name")
    return form


def _cascades(files: Mapping[str, Any]) -> tuple[CascadeEntry, ...]:
    return tuple(
        CascadeEntry(file=name, **{key: value for key, value in fields.items() if key != "task"})
        for name, fields in files.items()
        if fields["task"] == DETECTION_TASK
    )


def _without_file(entry: Entry) -> dict[str, Any]:
    fields = entry._asdict()
    del fields["file"]
    if isinstance(entry, ModelEntry):
        fields["calibration"] = entry.calibration._asdict()
    if isinstance(entry, NetworkEntry):
        in_float = fields.pop("in_float")
        if in_float is not None:
            fields["in_float"] = in_float._asdict()
    return fields
