"""`--teacher`: trained classifiers whose predictions are a part of the targets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.errors import UsageError
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.train.gender.start_model import (
    SUFFIX,
    check_trained_classifier,
)

if TYPE_CHECKING:  # imports TensorFlow, and pydantic, which can be missing
    import keras

    from image_gender_classifier.train.gender.finetuning_recipe import FineTuningRecipe
    from image_gender_classifier.train.gender.recipe import Recipe


def add_teacher_option(parser: argparse._ActionsContainer) -> None:
    """Adds `--teacher` to a parser or a group of options."""
    parser.add_argument(
        "--teacher", dest="trained_teachers", type=_parse_path, action="append", default=[],
        metavar="FILE.keras",
        help="a trained classifier whose predictions are a part of the targets, by label_weight in "
        "the recipe; repeat it for several",
    )  # fmt: skip


def check_trained_teachers(
    paths: Sequence[Path], recipe: Recipe | FineTuningRecipe, out: Path
) -> list[ModelEntry]:
    """Checks the classifiers of `--teacher` before the work begins.

    Args:
        paths: Their `.keras` files.
        recipe: The recipe of the training.
        out: Folder for the new classifier.

    Returns:
        Their manifest entries.

    Raises:
        ModelError: A file or its manifest is missing or corrupt, or its training did not finish.
        UsageError: The new classifier would replace one of them, its input is larger than the
            crops, or the recipe uses no predictions.
    """
    if paths and not recipe.uses_predictions:
        raise UsageError(
            "--teacher has no effect: label_weight is 1 throughout the recipe; set one below 1 in "
            "a --recipe, or omit --teacher"
        )
    return [check_trained_classifier(path, recipe, out) for path in paths]


def require_trained_teachers(paths: Sequence[Path], recipe: Recipe) -> None:
    """Checks that a recipe for a new classifier gets the trained classifiers that it needs.

    Args:
        paths: The `.keras` files of `--teacher`.
        recipe: The recipe.

    Raises:
        UsageError: There are none, but it needs at least one.
    """
    if recipe.needs_trained_teachers and not paths:
        raise UsageError(
            "label_weight in the recipe is less than 1, which needs the predictions of another "
            "classifier; give it with --teacher"
        )


def refuse_folds(paths: Sequence[Path], folds: int) -> None:
    """Checks that there is no cross-validation with trained classifiers.

    Args:
        paths: The `.keras` files of `--teacher`.
        folds: Number of folds of a cross-validation; 0 for none.

    Raises:
        UsageError: There are both.
    """
    if paths and folds:
        raise UsageError(
            "--folds measures on all pictures, which the classifiers of --teacher may know; omit "
            "one of them"
        )


def open_trained_teachers(paths: Sequence[Path]) -> list[keras.Model]:
    """Loads classifiers that `check_trained_teachers` has checked; imports TensorFlow.

    Args:
        paths: Their `.keras` files.

    Returns:
        Models that map pixels (float32, N x S x S x 3) to the gender logit (N x 1) only.

    Raises:
        ModelError: A file has changed or is missing, or Keras cannot load it.
    """
    from image_gender_classifier.train.common.keras_runtime import open_keras_with_entry
    from image_gender_classifier.train.gender.finetuning import keep_gender_output

    return [keep_gender_output(open_keras_with_entry(path)[0].model) for path in paths]


def _parse_path(text: str) -> Path:
    """Parses the value of `--teacher`."""
    if Path(text).suffix.lower() != SUFFIX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a file *{SUFFIX}")
    return Path(text)
