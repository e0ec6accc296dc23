"""Calibrates a trained gender classifier and saves it with its manifest entry."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from image_gender_classifier.detection.geometry import cut_crop, find_central_square
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.keras_runtime import KerasRuntime
from image_gender_classifier.train.common.saving import add_to_manifest, save_model
from image_gender_classifier.train.gender import calibration
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops
from image_gender_classifier.train.gender.start_model import MODEL

FRAMING = "square with a margin around the face, as FairFace's pictures (margin 0.25)"


def save_classifier(
    model: keras.Model,
    held_out: LabelledCrops,
    folder: Path,
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
    start: ModelEntry | None = None,
) -> ModelEntry:
    """Saves a classifier as `gender.keras`, calibrates it and adds it to the folder's manifest.

    Prints the reason if the classifier cannot be calibrated.

    Args:
        model: The inference model, which maps pixels to the gender logit.
        held_out: Held-out crops for Platt scaling, at least one.
        folder: Existing folder.
        license: SPDX licence expression.
        trained: Command, data and recipe of the training, for the manifest.
        start: Entry of the classifier that was fine-tuned, whose calibration and thresholds hold if
            there are too few crops; None for none.

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
    if start is not None:
        entry = entry._replace(
            calibration=start.calibration,
            threshold=start.threshold,
            tta_threshold=start.tta_threshold,
        )
    entry, uncalibrated = calibration.calibrate_entry(
        entry, KerasRuntime(model), held_out.crops, held_out.female
    )
    if uncalibrated is not None:
        kept = "are not calibrated" if start is None else "keep the earlier calibration"
        print_line(f"{path}: the probabilities {kept}: {uncalibrated}", sys.stdout)
    add_to_manifest(entry, folder)
    return entry


def select_crops(crop_set: CropSet, positions: Sequence[int], size: int) -> LabelledCrops:
    """Returns some of the crops with their labels, resized to the input of a classifier.

    Args:
        crop_set: All samples with a crop.
        positions: Indices of the samples, at least one.
        size: Side of the classifier's input in pixels.
    """
    square = find_central_square(*crop_set.crops.shape[1:3])
    return LabelledCrops(
        np.stack([cut_crop(crop_set.crops[position], square, size) for position in positions]),
        np.array([crop_set.samples[position].gender == "female" for position in positions]),
    )
