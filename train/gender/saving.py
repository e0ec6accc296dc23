"""A trained model on disk, with the manifest entry that makes it usable."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from image_gender_classifier import manifest
from image_gender_classifier.detection.geometry import crop, whole
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.train.common import split
from image_gender_classifier.train.common.checkpoint import save_whole
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.keras_runtime import KerasRuntime
from image_gender_classifier.train.common.model_folder import manifest_with
from image_gender_classifier.train.gender import calibration
from image_gender_classifier.train.gender.recipe import Recipe

MODEL = "gender.keras"
FRAMING = "square with a margin around the face, as FairFace's pictures (margin 0.25)"


def save(
    model: keras.Model,
    crop_set: CropSet,
    recipe: Recipe,
    folder: Path,
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
) -> ModelEntry:
    """Writes `gender.keras` into a folder and enters it into the folder's manifest.

    Args:
        model: From pixels to the gender logit.
        crop_set: What it was trained on; its held-out part fits the calibration.
        recipe: How it was made.
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
    runtime = KerasRuntime(model)
    entry = ModelEntry(
        file=MODEL,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        input_shape=runtime.input_shape,
        input_dtype=runtime.input_dtype,
        colour_order="RGB",
        framing=FRAMING,
        positive="female",
        negative="male",
        calibration=Calibration(),
        threshold=0.5,
        license=license,
        trained={**trained, "tensorflow": tf.__version__, "keras": keras.__version__},
    )
    entry, uncalibrated = calibration.calibrated(entry, runtime, *held_out(crop_set, recipe))
    if uncalibrated is not None:
        say(f"{path}: probabilities are not calibrated: {uncalibrated}", sys.stdout)
    write_whole(folder / manifest.NAME, manifest_with(folder, [entry]))
    return entry


def held_out(crop_set: CropSet, recipe: Recipe) -> tuple[Any, Any]:
    """The held-out crops (uint8, N x S x S x 3) at the network's size, and which are female."""
    positions = split.divide(crop_set.names, recipe.held_out).held_out
    square = whole(recipe.stored_size, recipe.stored_size)
    size = recipe.student.size
    crops = [crop(crop_set.crops[position], square, size) for position in positions]
    female = [crop_set.samples[position].gender == "female" for position in positions]
    return np.stack(crops), np.array(female)
