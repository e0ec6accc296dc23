"""Saves a gender network to which an output was added, and its manifest entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from image_gender_classifier.manifest.schema import FaceOutput, FrameOutput, ModelEntry
from image_gender_classifier.train.common.saving import add_to_manifest, save_model


def save_with_output(
    model: keras.Model,
    original: ModelEntry,
    folder: Path,
    trained: Mapping[str, Any],
    output: FaceOutput | FrameOutput,
) -> ModelEntry:
    """Saves a gender network with one more output and adds it to the folder's manifest.

    Args:
        model: Maps pixels to the gender logit and the other outputs.
        original: Manifest entry of the network without this output, whose calibration and
            thresholds hold for the new one too.
        folder: Existing folder.
        trained: Command and data of this training, for the manifest.
        output: How the output is used.

    Returns:
        The manifest entry.

    Raises:
        ModelError: The folder's manifest cannot be read or is corrupt.
        OutputError: A file cannot be written.
    """
    name = "face_output" if isinstance(output, FaceOutput) else "frame_output"
    fields: dict[str, Any] = save_model(
        model,
        folder / original.file,
        spdx=original.license,
        trained={**original.trained, name: dict(trained)},
    )
    entry = original._replace(**{**fields, "float32_variant": None, name: output})
    add_to_manifest(entry, folder)
    return entry
