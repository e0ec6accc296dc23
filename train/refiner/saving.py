"""Saves a trained face refiner with its manifest entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from image_gender_classifier.manifest.schema import FaceRefinerEntry
from image_gender_classifier.train.common.saving import add_to_manifest, save_model
from image_gender_classifier.train.refiner.views import MARGIN

MODEL = "face_refiner.keras"
# Chosen on the portraits, the pictures without a face and the composites of
# docs/detection.md#accuracy.
_CANDIDATE_WEIGHT = 0.5
_LOWEST, _SCREENED, _SCREENED_TURNED, _SUREST = -3.0, -2.5, -2.25, 2.5
_TILE_WEIGHT = 0.2


def save_refiner(
    model: keras.Model,
    folder: Path,
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
) -> FaceRefinerEntry:
    """Saves a refiner as `face_refiner.keras` and adds it to the folder's manifest.

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
    entry = FaceRefinerEntry(
        **save_model(model, folder / MODEL, spdx=license, trained=trained),
        margin=MARGIN,
        candidate_weight=_CANDIDATE_WEIGHT,
        lowest=_LOWEST,
        screened=_SCREENED,
        screened_turned=_SCREENED_TURNED,
        surest=_SUREST,
        tile_weight=_TILE_WEIGHT,
    )
    add_to_manifest(entry, folder)
    return entry
