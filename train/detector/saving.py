"""Saves a trained face detector with its manifest entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from image_gender_classifier.manifest.schema import FaceDetectorEntry, SearchLogits
from image_gender_classifier.train.common.saving import add_to_manifest, save_model
from image_gender_classifier.train.detector.scenes import SMALLEST

MODEL = "face_detector.keras"
STAGE = "cnn"  # name in predictions
_CANDIDATE_THRESHOLD = 0.13
_THRESHOLD = 0.567
_TURNED_THRESHOLD = 0.8
# Chosen on WIDER, the pictures without a face and the composites of docs/detection.md#accuracy.
_SEARCH = SearchLogits(
    clear=0.9,
    first=-1.5,
    later=-1.65,
    turned=-1.0,
    tile=-2.0,
    candidate_weight=0.5,
    largest_gain=5.0,  # 98 % of faces gain less
)
_LARGEST_INPUT_SIDES = 2  # sides of the usual input
_FRAME_SCALE = 0.99  # predicted boxes are 1 % too large (median over the composites)


def save_detector(
    model: keras.Model,
    folder: Path,
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
) -> FaceDetectorEntry:
    """Saves a detector as `face_detector.keras` and adds it to the folder's manifest.

    Args:
        model: The inference model.
        folder: Existing folder.
        license: SPDX licence expression.
        trained: Command, data and recipe of the training, for the manifest.

    Returns:
        The manifest entry.

    Raises:
        ModelError: The folder's manifest is corrupt.
        OutputError: A file cannot be written.
    """
    entry = FaceDetectorEntry(
        **save_model(model, folder / MODEL, spdx=license, trained=trained),
        detector=STAGE,
        smallest_face=SMALLEST,
        candidate_threshold=_CANDIDATE_THRESHOLD,
        threshold=_THRESHOLD,
        frame_scale=_FRAME_SCALE,
        search=_SEARCH,
        second_threshold=_THRESHOLD,
        turned_threshold=_TURNED_THRESHOLD,
        largest_input=_LARGEST_INPUT_SIDES * int(model.input_shape[1]),
    )
    add_to_manifest(entry, folder)
    return entry
