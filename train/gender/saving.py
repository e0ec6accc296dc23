"""Saving of a trained gender classifier."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from image_gender_classifier.detection.geometry import crop, whole
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.train.common import split
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.keras_runtime import KerasRuntime
from image_gender_classifier.train.common.saving import add_to_manifest, save_model
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
    """Saves `gender.keras`, calibrates it and adds it to the folder's manifest.

    Args:
        model: Maps pixels to the gender logit.
        crop_set: The training data; its held-out part serves for Platt scaling.
        recipe: The recipe of the model.
        folder: Existing folder.
        license: SPDX licence expression.
        trained: How the model was trained.

    Raises:
        ModelError: The folder's manifest is damaged.
        OutputError: A file cannot be written.
    """
    path = folder / MODEL
    fields = save_model(model, path, spdx=license, trained=trained)
    entry = ModelEntry(
        **fields,
        framing=FRAMING,
        positive="female",
        negative="male",
        calibration=Calibration(),
        threshold=0.5,
    )
    crops, female = held_out(crop_set, recipe)
    entry, uncalibrated = calibration.calibrated(entry, KerasRuntime(model), crops, female)
    if uncalibrated is not None:
        say(f"{path}: probabilities are not calibrated: {uncalibrated}", sys.stdout)
    add_to_manifest(entry, folder)
    return entry


def held_out(crop_set: CropSet, recipe: Recipe) -> tuple[Any, Any]:
    """Gives the held-out crops at the network's size, and their labels.

    Returns:
        Crops (uint8 RGB, N x S x S x 3), and whether each is female (bool, N).
    """
    positions = split.divide(crop_set.names, recipe.held_out).held_out
    square = whole(recipe.stored_size, recipe.stored_size)
    size = recipe.student.size
    crops = [crop(crop_set.crops[position], square, size) for position in positions]
    female = [crop_set.samples[position].gender == "female" for position in positions]
    return np.stack(crops), np.array(female)
