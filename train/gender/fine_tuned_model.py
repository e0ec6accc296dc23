"""Fine-tunes a classifier, saves it and compares it with the original."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import keras
import numpy as np

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.train.common import split
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.keras_runtime import (
    BATCH,
    KerasRuntime,
    open_keras_with_entry,
)
from image_gender_classifier.train.common.model_folder import make_folder
from image_gender_classifier.train.common.split import SplitPositions
from image_gender_classifier.train.evaluation.comparison import FEW, Comparison, format_comparison
from image_gender_classifier.train.gender import finetuning, saving
from image_gender_classifier.train.gender.finetuning_recipe import FineTuningRecipe
from image_gender_classifier.train.gender.labelled_crops import compare

FOLDER = "fine_tuned"  # of checkpoints and history
_FOLD_FOLDER = "fold_{}"
_OLD, _NEW = "original", "fine-tuned"
# Time of fine-tuning per crop and epoch without trained teachers, relative to a prediction: forward
# and backward pass, prediction of the original network, augmentation.
_STEP_FACTOR = 5


def train(  # noqa: PLR0913  (keyword arguments)
    start: Path,
    crop_set: CropSet,
    recipe: FineTuningRecipe,
    folder: Path,
    folds: int,
    *,
    trained_teachers: Sequence[keras.Model],
    license: str,  # noqa: A002 (the manifest's word)
    trained: Mapping[str, Any],
) -> None:
    """Fine-tunes a classifier, and prints an estimate of the time and a comparison.

    Args:
        start: The `.keras` file of the classifier, with an entry in the manifest of its folder.
        crop_set: Crops with the side `recipe.stored_size`.
        recipe: The recipe.
        folder: Existing folder for the model, and for a folder of checkpoints.
        folds: Number of folds of a cross-validation before it; 0 for none.
        trained_teachers: Other classifiers whose predictions are a part of the targets.
        license: SPDX licence expression.
        trained: Command, data and recipe of the training, for the manifest.

    Raises:
        ModelError: A model or checkpoint is corrupt or does not match.
        OutputError: The folder cannot be written to.
    """
    runtime, entry_before = open_keras_with_entry(start)
    before = Classifier(runtime, entry_before)
    parts = split.split_names(crop_set.names, recipe.held_out)
    held_out = saving.select_crops(crop_set, parts.held_out, before.crop_size)
    seconds = _measure_prediction(runtime.model)
    duration = recipe.epochs * len(parts.training) * (1 + folds) * _STEP_FACTOR * seconds
    views = min(recipe.views or recipe.epochs, recipe.epochs)
    duration += views * len(parts.training) * sum(map(_measure_prediction, trained_teachers))
    print_line(
        f"fine-tuning on {len(parts.training):,} pictures, {len(held_out):,} held out: at most "
        f"{_format_duration(duration)}",
        sys.stdout,
    )
    original = finetuning.keep_gender_output(runtime.model)
    if folds:
        _cross_validate(original, before, crop_set, recipe, folder, folds)
        print_line(f"{_NEW} on all but the held-out pictures:", sys.stdout)
    model = finetuning.fine_tune(
        original, crop_set, parts, recipe, make_folder(folder / FOLDER), trained_teachers
    )
    entry = saving.save_classifier(model, held_out, folder, license, trained, entry_before)
    result = compare(before, Classifier(KerasRuntime(model), entry), held_out)
    print_line(f"{folder / entry.file}: {entry.bytes:,} bytes", sys.stdout)
    print_line("accuracy on held-out pictures, with 95% intervals:", sys.stdout)
    print_line(format_comparison(result, _OLD, _NEW), sys.stdout)
    if not folds and len(held_out) < FEW:
        print_line(f"--folds 5 measures on all {len(crop_set.samples):,} pictures.", sys.stdout)


def _cross_validate(
    original: keras.Model,
    before: Classifier,
    crop_set: CropSet,
    recipe: FineTuningRecipe,
    folder: Path,
    folds: int,
) -> None:
    """Fine-tunes once for each fold on the others; prints the accuracy on all pictures.

    Each fold is unseen by its classifier: early stopping uses held-out samples of the others.
    """
    chosen = [split.choose_fold(name, folds) for name in crop_set.names]
    results: list[Comparison] = []
    for fold in range(folds):
        tested = [position for position, each in enumerate(chosen) if each == fold]
        parts = _without(split.split_names(crop_set.names, recipe.held_out), tested)
        if not (tested and parts.training and parts.held_out):
            print_line(f"fold {fold + 1} of {folds}: too few pictures", sys.stdout)
            continue
        print_line(f"fold {fold + 1} of {folds}:", sys.stdout)
        model = finetuning.fine_tune(
            original,
            crop_set,
            parts,
            recipe,
            make_folder(folder / _FOLD_FOLDER.format(fold + 1)),
        )
        entry = before.entry._replace(face_output=None, frame_output=None)
        tuned = Classifier(KerasRuntime(model), entry)
        results.append(
            compare(before, tuned, saving.select_crops(crop_set, tested, before.crop_size))
        )
    if results:
        print_line(f"accuracy in cross-validation ({folds} folds), with 95% intervals:", sys.stdout)
        print_line(format_comparison(_join(results), _OLD, _NEW), sys.stdout)


def _without(parts: SplitPositions, tested: Sequence[int]) -> SplitPositions:
    """Returns a split without some of the positions."""
    left_out = frozenset(tested)
    return SplitPositions(
        tuple(position for position in parts.training if position not in left_out),
        tuple(position for position in parts.held_out if position not in left_out),
    )


def _join(results: Sequence[Comparison]) -> Comparison:
    """Joins the comparisons on several sets of pictures."""
    return Comparison(
        {
            name: np.concatenate([result.groups[name] for result in results])
            for name in results[0].groups
        },
        np.concatenate([result.old for result in results]),
        np.concatenate([result.new for result in results]),
    )


def _measure_prediction(model: keras.Model) -> float:
    """Returns the time of a prediction in seconds per crop."""
    crops = np.zeros((BATCH, *model.input_shape[1:]), np.float32)
    model.predict_on_batch(crops)  # the first one compiles the network
    begin = perf_counter()
    model.predict_on_batch(crops)
    return (perf_counter() - begin) / BATCH


def _format_duration(seconds: float) -> str:
    """Formats a duration, such as "about 3 minutes"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute"
    return (
        f"about {minutes:,} minute{'s' * (minutes != 1)}"
        if minutes < 120
        else (f"about {minutes / 60:.0f} hours")
    )
