"""Manifests for models that a test makes, and changed ones for the shipped models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from image_gender_classifier import manifest
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import Calibration, FaceOutput, ModelEntry

FACE_OUTPUT = FaceOutput(
    slope=1.0,
    detector_slope=2.0,
    bias=0.0,
    lowest=0.1,
    surest=0.9,
    threshold=0.5,
    turned_threshold=0.9,
    sure_logit=1.5,
)
"""A face output in whose decisions about doubtful faces the detector's logit counts twice."""


def model_entry(path: Path, side: int, **changes: Any) -> ModelEntry:
    """Describes an existing model file that takes square crops of a side in pixels."""
    data = path.read_bytes()
    entry = ModelEntry(
        file=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        input_shape=(side, side, 3),
        input_dtype="uint8",
        colour_order="RGB",
        framing="fairface",
        positive="female",
        negative="male",
        calibration=Calibration(),
        threshold=0.8,
        license="Apache-2.0",
    )
    return entry._replace(**changes)


def write_manifest(path: Path, side: int, **changes: Any) -> Path:
    """Lists a model file, with the changes to its entry, in a new manifest; gives its path."""
    listed = Manifest(path.parent, {path.name: model_entry(path, side, **changes)})
    (path.parent / manifest.NAME).write_text(manifest.dump(listed), "utf-8")
    return path


def write_shipped_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Lists the shipped networks with a change to their entries, by file; returns the folder."""
    content = json.loads((shipped_models() / manifest.NAME).read_text("utf-8"))
    change(content["files"])
    (folder / manifest.NAME).write_text(json.dumps(content), "utf-8")
    return folder
