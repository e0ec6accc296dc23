"""`--teacher`: trained classifiers whose predictions are a part of the targets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.errors import UsageError
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.train.gender.start_model import check_trained_model

if TYPE_CHECKING:  # imports TensorFlow, and pydantic, which can be missing
    import keras

    from image_gender_classifier.train.gender.recipe import Recipe


def add_teacher_option(parser: argparse._ActionsContainer) -> None:
    """Adds `--teacher` to a parser or a group of options."""
    parser.add_argument(
        "--teacher", dest="teachers", type=Path, action="append", default=[], metavar="FILE.keras",
        help="a trained classifier whose predictions are a part of the targets, by label_weight in "
        "the recipe; repeat it for several",
    )  # fmt: skip


def check_teachers(paths: Sequence[Path], out: Path) -> list[ModelEntry]:
    """Checks the classifiers of `--teacher` before the work begins.

    Args:
        paths: Their `.keras` files.
        out: Folder for the new classifier.

    Returns:
        Their manifest entries.

    Raises:
        ModelError: A file or its manifest is missing or corrupt, or its training did not finish.
        UsageError: The new classifier would replace one of them.
    """
    return [check_trained_model(path, out) for path in paths]


def check_use_of_teachers(recipe: Recipe, teachers: int) -> None:
    """Checks that a recipe for a new classifier uses the classifiers of `--teacher`, if any.

    Args:
        recipe: The recipe.
        teachers: Number of classifiers.

    Raises:
        UsageError: The recipe needs them and there are none, or the other way round.
    """
    networks = (*recipe.teachers, recipe.student)
    needed = any(not network.distilled and network.label_weight < 1 for network in networks)
    if needed and not teachers:
        raise UsageError(
            "label_weight in the recipe is less than 1, which needs the predictions of another "
            "classifier; give it with --teacher"
        )
    if teachers and not needed:
        raise UsageError(
            "--teacher has no effect: no network of the recipe that learns from labels has a "
            "label_weight below 1; omit --teacher or give a --recipe"
        )


def open_teachers(paths: Sequence[Path]) -> list[keras.Model]:
    """Loads classifiers that `check_teachers` has checked; imports TensorFlow.

    Returns:
        Models that map pixels (float32, N x S x S x 3) to the gender logit (N x 1) only.

    Raises:
        ModelError: Keras cannot load a file.
    """
    from image_gender_classifier.train.common.keras_runtime import open_keras_with_entry
    from image_gender_classifier.train.gender.finetuning import remove_face_output

    return [remove_face_output(open_keras_with_entry(path)[0].model) for path in paths]
