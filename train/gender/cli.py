"""The command `image-gender-train`."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from image_gender_classifier.train.common import cutting, history, pretrained, training_command
from image_gender_classifier.train.common.command import Parser, say
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.data_options import (
    add_data_options,
    read_reported,
    training_split,
)
from image_gender_classifier.train.common.detector_option import (
    add_detector_option,
    detector_key,
)
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, Reading, Sample

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.gender.recipe import Recipe

PROGRAM = "image-gender-train"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Run:
    """What determines a run's outcome; only an equal run can be resumed.

    Attributes:
        data: Hash of the samples' names and labels.
        pictures: Hash of the picture files' sizes, to detect changed pictures.
        samples: Number of samples.
        layout: Layout of the data set.
        detector: The detector that cuts the crops, with its cache key.
        recipe: The recipe.
    """

    data: str
    pictures: str
    samples: int
    layout: str
    detector: str
    recipe: Recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Trains a gender classifier; see `training_command.main` for the exit codes."""
    return training_command.main(PROGRAM, _train, argv)


def _train(arguments: Sequence[str]) -> None:
    options = make_parser().parse_args(arguments)
    recipe = read_recipe(options)
    reading = read_reported(options, training_split(options.layout))
    _check_genders(reading.samples, "samples")
    run = run_of(reading, options, recipe)
    if recipe.pretrained:
        for training in (*recipe.teachers, recipe.student):
            pretrained.require(training.efficientnet_lite)
    training_command.in_run_folder(
        options, run, lambda: _train_in_folder(reading.samples, run, options, arguments)
    )


def _train_in_folder(
    samples: Sequence[Sample], run: Run, options: argparse.Namespace, arguments: Sequence[str]
) -> None:
    recipe = run.recipe
    crop_set = training_command.cut_crops(
        samples, options.detector, recipe.stored_size, options.out
    )
    _check_parts(crop_set, recipe.held_out)

    # After all checks, because TensorFlow takes seconds to import.
    from image_gender_classifier.train.common import plots
    from image_gender_classifier.train.gender import course, saving

    training_command.start(options, run)
    model = course.train(crop_set, recipe, options.out)
    trained = training_command.provenance(PROGRAM, arguments, run)
    entry = saving.save(
        model, crop_set, recipe, options.out, license=options.license, trained=trained
    )
    say(f"{options.out / entry.file}: {entry.bytes:,} bytes, {entry.measured}", sys.stdout)
    for name in course.trainings(recipe):
        folder = options.out / name
        plots.learning_curves(folder / history.HISTORY, folder / training_command.CURVES)


def make_parser() -> Parser:
    """Builds the argument parser."""
    parser = Parser(prog=PROGRAM, description="Trains a perceived-gender classifier.")
    add_data_options(parser)
    add_detector_option(parser)
    training_command.add_training_options(parser, "train/gender/recipe.toml")
    add = parser.add_argument
    add(
        "--from-scratch", action="store_true",
        help="start from random weights instead of ImageNet weights",
    )  # fmt: skip
    add(
        "--without-teachers", action="store_true",
        help="train the student on the labels, without distillation: less accurate, but much "
        "faster",
    )  # fmt: skip
    return parser


def read_recipe(options: argparse.Namespace) -> Recipe:
    """Reads the recipe and applies the options that override it.

    Raises:
        UsageError: The recipe or `--seed` is invalid.
    """
    from image_gender_classifier.train.gender.recipe import SHIPPED, load

    recipe = load(options.recipe or SHIPPED)
    if options.without_teachers:
        recipe = replace(recipe, teachers=(), student=replace(recipe.student, distilled=False))
    if options.from_scratch:
        recipe = replace(recipe, pretrained=False)
    return replace(recipe, seed=training_command.seed_of(options, recipe.seed))


def run_of(reading: Reading, options: argparse.Namespace, recipe: Recipe) -> Run:
    """Gives the record of what determines the run's outcome."""
    sizes = " ".join(str(sample.path.stat().st_size) for sample in reading.samples)
    return Run(
        data=reading.key(),
        pictures=hashlib.sha256(sizes.encode()).hexdigest()[:_DIGITS],
        samples=len(reading.samples),
        layout=options.layout,
        detector=detector_key(options.detector),
        recipe=recipe,
    )


def _check_parts(crop_set: CropSet, fraction: float) -> None:
    """Raises DataError if the training or the held-out part is empty, or the former one-sided."""
    count = len(crop_set.samples)
    if not count:
        raise DataError(cutting.nothing_cut(len(crop_set.unreadable), len(crop_set.no_face)))
    learnt = [sample for sample in crop_set.samples if not is_held_out(sample.name, fraction)]
    if not learnt or len(learnt) == count:
        raise DataError(
            f"of {count:,} crops {'all are' if not learnt else 'none is'} held out for "
            "validation (chosen by a hash of the name); add more pictures"
        )
    _check_genders(learnt, "training crops")


def _check_genders(samples: Sequence[Sample], what: str) -> None:
    """Raises DataError if all samples have the same gender."""
    genders = {sample.gender for sample in samples}
    if len(genders) == 1:
        raise DataError(
            f"all {len(samples):,} {what} are {genders.pop()}; training needs pictures of both "
            "genders"
        )
