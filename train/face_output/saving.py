"""Saves a gender network with a face output and its manifest entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from image_gender_classifier.manifest.schema import FaceOutput, ModelEntry
from image_gender_classifier.train.common.saving import add_to_manifest, save_model

# Chosen on the WIDER portraits and the pictures without a face of shared/portraits, and on the
# composites of FairFace's validation split. The slope is lower than in training, because part of
# the logit is that of the face refiner.
_FACE_OUTPUT = FaceOutput(
    slope=1.0,
    detector_slope=1.3,
    bias=0.0,
    lowest=0.12,
    surest=0.58,
    threshold=0.48,
    turned_threshold=0.62,
)


def save_with_face_output(
    model: keras.Model, original: ModelEntry, folder: Path, trained: Mapping[str, Any]
) -> ModelEntry:
    """Saves a gender network with a face output and adds it to the folder's manifest.

    Args:
        model: Maps pixels to the gender logit and the face logit.
        original: Manifest entry of the network without the face output, whose calibration and
            thresholds hold for the new one too.
        folder: Existing folder.
        trained: Command and data of this training, for the manifest.

    Returns:
        The manifest entry.

    Raises:
        ModelError: The folder's manifest cannot be read or is corrupt.
        OutputError: A file cannot be written.
    """
    fields = save_model(
        model,
        folder / original.file,
        spdx=original.license,
        trained={**original.trained, "face_output": dict(trained)},
    )
    entry = original._replace(**fields, float32_variant=None, face_output=_FACE_OUTPUT)
    add_to_manifest(entry, folder)
    return entry
