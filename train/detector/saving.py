"""A trained finder on disk, with the manifest entry that makes it usable."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from image_gender_classifier import manifest
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.train.common.checkpoint import save_whole
from image_gender_classifier.train.common.model_folder import manifest_with
from image_gender_classifier.train.detector.scenes import SMALLEST

MODEL = "face_detector.keras"
STAGE = "cnn"
_CANDIDATE_THRESHOLD = 0.2
_THRESHOLD = 0.567
_FRAME_SCALE = 0.98  # on composites made as for measuring, the median told is 2 % too large


def save(
    model: keras.Model,
    folder: Path,
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
) -> FaceDetectorEntry:
    """Writes `face_detector.keras` into a folder and enters it into the folder's manifest.

    Args:
        model: From pixels to the maps.
        folder: Existing folder.
        license: SPDX expression.
        trained: What made it, for the manifest.

    Raises:
        ModelError: The folder's manifest is damaged.
        OutputError: The manifest cannot be written.
    """
    path = folder / MODEL
    save_whole(model, path)
    data = path.read_bytes()
    _, height, width, channels = model.input_shape
    entry = FaceDetectorEntry(
        file=MODEL,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        input_shape=(height, width, channels),
        input_dtype="uint8",
        colour_order="RGB",
        detector=STAGE,
        smallest_face=SMALLEST,
        candidate_threshold=_CANDIDATE_THRESHOLD,
        threshold=_THRESHOLD,
        frame_scale=_FRAME_SCALE,
        license=license,
        trained={**trained, "tensorflow": tf.__version__, "keras": keras.__version__},
    )
    write_whole(folder / manifest.NAME, manifest_with(folder, [entry]))
    return entry
