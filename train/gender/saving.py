"""Calibrates a trained gender classifier and saves it with its manifest entry."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from image_gender_classifier.detection.geometry import cut_crop, find_central_square
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.train.common import split
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.keras_runtime import KerasRuntime
from image_gender_classifier.train.common.saving import add_to_manifest, save_model
from image_gender_classifier.train.gender import calibration
from image_gender_classifier.train.gender.recipe import Recipe

MODEL = "gender.keras"
FRAMING = "square with a margin around the face, as FairFace's pictures (margin 0.25)"


def save_classifier(
    model: keras.Model,
    crop_set: CropSet,
    recipe: Recipe,
    folder: Path,
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
) -> ModelEntry:
    """Saves a classifier as `gender.keras`, calibrates it and adds it to the folder's manifest.

    Prints the reason if the classifier cannot be calibrated.

    Args:
        model: The inference model, which maps pixels to the gender logit.
        crop_set: All samples with a crop; the held-out ones are used for Platt scaling.
        recipe: The recipe of the model.
        folder: Existing folder.
        license: SPDX licence expression.
        trained: Command, data and recipe of the training, for the manifest.

    Returns:
        The manifest entry.

    Raises:
        ModelError: The folder's manifest cannot be read or is corrupt, or a logit is not finite.
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
    crops, female = select_held_out_crops(crop_set, recipe)
    entry, uncalibrated = calibration.calibrate_entry(entry, KerasRuntime(model), crops, female)
    if uncalibrated is not None:
        print_line(f"{path}: the probabilities are not calibrated: {uncalibrated}", sys.stdout)
    add_to_manifest(entry, folder)
    return entry


def select_held_out_crops(crop_set: CropSet, recipe: Recipe) -> tuple[Any, Any]:
    """Selects the held-out crops and resizes them to the student's input size.

    Args:
        crop_set: All samples with a crop; at least one must be held out.
        recipe: The recipe; determines the split and the sizes.

    Returns:
        The crops (uint8 RGB, N x S x S x 3), and for each whether it is labelled female (bool, N).
    """
    positions = split.split_names(crop_set.names, recipe.held_out).held_out
    square = find_central_square(recipe.stored_size, recipe.stored_size)
    size = recipe.student.size
    crops = [cut_crop(crop_set.crops[position], square, size) for position in positions]
    female = [crop_set.samples[position].gender == "female" for position in positions]
    return np.stack(crops), np.array(female)
