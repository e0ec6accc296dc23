"""The inputs of a training run, which `run.json` records."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.train.common.detector_option import detector_cache_key
from image_gender_classifier.train.datasets import Reading

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.gender.finetuning_recipe import FineTuningRecipe
    from image_gender_classifier.train.gender.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Run:
    """The inputs of a training run; `--resume` requires that they are unchanged.

    Attributes:
        data: Hash of the samples' names and labels.
        pictures: Hash of the picture files' contents.
        samples: Number of samples.
        layout: Layout of the data set, as in `--layout`.
        detector: Cache key of the detector, which contains the value of `--detector`.
        recipe: The recipe.
        trained_teachers: SHA-256 of each classifier of `--teacher`.
    """

    data: str
    pictures: str
    samples: int
    layout: str
    detector: str
    recipe: Recipe | FineTuningRecipe
    trained_teachers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FineTuningRun(Run):
    """The inputs of fine-tuning.

    Attributes:
        start: SHA-256 of the classifier that is fine-tuned.
        folds: Number of folds of the cross-validation; 0 for none.
    """

    start: str
    folds: int


def describe_run(
    reading: Reading,
    options: argparse.Namespace,
    recipe: Recipe,
    trained_teachers: Sequence[ModelEntry],
) -> Run:
    """Returns the inputs of the training of a new classifier, which `run.json` records.

    Args:
        reading: The labelled pictures.
        options: Parsed arguments; only `layout` and `detector` are used.
        recipe: The recipe.
        trained_teachers: Manifest entries of the classifiers of `--teacher`.

    Raises:
        ModelError: A model file of the detector is missing or corrupt.
        RuntimeMissing: No runtime that the detector can use is installed.
        Unfinished: The disk, the network or the system prevents reading a picture.
    """
    return Run(
        **_describe_inputs(reading, options, trained_teachers),
        recipe=recipe,
    )


def describe_fine_tuning(
    reading: Reading,
    options: argparse.Namespace,
    recipe: FineTuningRecipe,
    start: ModelEntry,
    trained_teachers: Sequence[ModelEntry],
) -> FineTuningRun:
    """Returns the inputs of fine-tuning; exceptions are those of `describe_run`.

    Args:
        reading: The labelled pictures.
        options: Parsed arguments; only `layout`, `detector` and `folds` are used.
        recipe: The recipe.
        start: Manifest entry of the classifier that is fine-tuned.
        trained_teachers: Manifest entries of the classifiers of `--teacher`.
    """
    return FineTuningRun(
        **_describe_inputs(reading, options, trained_teachers),
        recipe=recipe,
        start=start.sha256,
        folds=options.folds,
    )


def _describe_inputs(
    reading: Reading, options: argparse.Namespace, trained_teachers: Sequence[ModelEntry]
) -> dict[str, Any]:
    """Returns the fields of `Run` except the recipe; see `describe_run`."""
    return {
        "data": reading.hash_labels(),
        "pictures": reading.hash_pictures(),
        "samples": len(reading.samples),
        "layout": options.layout,
        "detector": detector_cache_key(options.detector),
        "trained_teachers": tuple(teacher.sha256 for teacher in trained_teachers),
    }
