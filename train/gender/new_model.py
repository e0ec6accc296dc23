"""Trains a new gender classifier, saves it and reports its accuracy."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from image_gender_classifier.train.common import split
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.evaluation import comparison
from image_gender_classifier.train.evaluation.evaluation_report import format_interval, format_rate
from image_gender_classifier.train.evaluation.metrics import wilson_interval
from image_gender_classifier.train.gender import saving, training
from image_gender_classifier.train.gender.recipe import Recipe


def train(
    crop_set: CropSet,
    recipe: Recipe,
    folder: Path,
    trained_teachers: Sequence[keras.Model],
    *,
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
) -> None:
    """Trains and saves a classifier; see `training.train_classifier`, `saving.save_classifier`.

    Prints size and accuracy.
    """
    model = training.train_classifier(crop_set, recipe, folder, trained_teachers)
    positions = split.split_names(crop_set.names, recipe.held_out).held_out
    held_out = saving.select_crops(crop_set, positions, recipe.student.size)
    entry = saving.save_classifier(model, held_out, folder, license, trained)
    measured = entry.measured["held_out"]
    rate = wilson_interval(round(measured["accuracy"] * measured["n"]), measured["n"])
    print_line(
        f"{folder / entry.file}: {entry.bytes:,} bytes, accuracy on {rate.n:,} held-out pictures "
        f"{format_rate(rate)} (95% interval {format_interval(rate)})",
        sys.stdout,
    )
    if rate.n < comparison.FEW:
        print_line(comparison.describe_few(rate), sys.stdout)
