"""The command `image-gender-train-detector`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from image_gender_classifier.train.common import pretrained, training_command
from image_gender_classifier.train.common.command import Parser, say
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
    read_reported,
    training_split,
)
from image_gender_classifier.train.common.split import divide
from image_gender_classifier.train.datasets import DataError, Sample
from image_gender_classifier.train.detector import backgrounds
from image_gender_classifier.train.detector.backgrounds import Backgrounds

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.detector.recipe import DetectorRecipe

PROGRAM = "image-gender-train-detector"
_STORED_SIDE = 128  # of the crops in pixels; scenes rarely show larger faces


@dataclass(frozen=True, slots=True)
class Run:
    """What determines a run's outcome; only an equal run can be resumed.

    Attributes:
        data: Hash of the samples' names and labels.
        samples: Number of samples.
        backgrounds: Number of backgrounds.
        recipe: The recipe.
        backgrounds_key: Hash of the backgrounds' names and sizes.
    """

    data: str
    samples: int
    backgrounds: int
    recipe: DetectorRecipe
    backgrounds_key: str


def main(argv: Sequence[str] | None = None) -> int:
    """Trains a face detector; see `training_command.main` for the exit codes."""
    return training_command.main(PROGRAM, _train, argv)


def _train(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    from image_gender_classifier.train.detector.recipe import SHIPPED, load

    recipe = load(options.recipe or SHIPPED)
    recipe = replace(recipe, seed=training_command.seed_of(options, recipe.seed))
    reading = read_reported(options, training_split(options.layout))
    places = backgrounds.read_reported(options.backgrounds)
    run = Run(
        reading.key(), len(reading.samples), len(places.names), recipe, backgrounds.key(places)
    )
    if recipe.pretrained:
        pretrained.require(0)
    training_command.in_run_folder(
        options, run, lambda: _train_in_folder(reading.samples, places, run, options, arguments)
    )


def _train_in_folder(
    samples: Sequence[Sample],
    places: Backgrounds,
    run: Run,
    options: argparse.Namespace,
    arguments: Sequence[str],
) -> None:
    recipe = run.recipe
    crop_set = training_command.cut_crops(samples, "none", _STORED_SIDE, options.out)
    for names, what in ((crop_set.names, "crops"), (places.names, "backgrounds")):
        parts = divide(names, recipe.held_out)
        if not parts.training or not parts.held_out:
            raise DataError(f"{len(names):,} {what} are too few for training and validation")

    # After all checks, because TensorFlow takes seconds to import.
    from image_gender_classifier.train.common import history, plots
    from image_gender_classifier.train.detector import course, saving

    training_command.start(options, run)
    model = course.train(crop_set, places, recipe, options.out)
    trained = training_command.provenance(PROGRAM, arguments, run)
    entry = saving.save(model, options.out, license=options.license, trained=trained)
    say(f"{options.out / entry.file}: {entry.bytes:,} bytes", sys.stdout)
    plots.learning_curves(options.out / history.HISTORY, options.out / training_command.CURVES)


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Trains a face detector on synthetic scenes: face crops (--data, framed as for "
        "the gender classifier) pasted into pictures without people (--backgrounds).",
    )
    add_data_options(parser)
    add_backgrounds_option(parser)
    training_command.add_training_options(parser, "train/detector/recipe.toml")
    return parser
