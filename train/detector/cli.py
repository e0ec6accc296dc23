"""`image-gender-train-detector`: face crops and pictures without people in, a face finder out."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.errors import UsageError
from image_gender_classifier.system.locking import held
from image_gender_classifier.train.common import cutting, pretrained, run_record
from image_gender_classifier.train.common.command import Parser, exit_code, say
from image_gender_classifier.train.common.crops import load_or_cut
from image_gender_classifier.train.common.data_options import (
    add_data_options,
    read_data,
    training_split,
)
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.split import divide
from image_gender_classifier.train.datasets import DataError, LeftOut, Reading
from image_gender_classifier.train.detector import backgrounds
from image_gender_classifier.train.detector.backgrounds import Backgrounds

if TYPE_CHECKING:  # it needs pydantic, whose absence is to be told in a line
    from image_gender_classifier.train.detector.recipe import DetectorRecipe

PROGRAM = "image-gender-train-detector"
_CURVES = "learning_curves.png"
_STORED = 128  # side in pixels of the crops, which are seldom shown larger


@dataclass(frozen=True, slots=True)
class Run:
    """What decides a run's outcome; only an equal run is resumed.

    Attributes:
        data: Hash of the samples' names and labels.
        samples: How many samples there are.
        backgrounds: How many backgrounds.
        recipe: How the finder is made.
        backgrounds_key: Hash of the backgrounds' names and sizes.
    """

    data: str
    samples: int
    backgrounds: int
    recipe: DetectorRecipe
    backgrounds_key: str


def main(argv: Sequence[str] | None = None) -> int:
    """Trains a face finder.

    Args:
        argv: Arguments without the program's name; the process's own by default.

    Returns:
        0 when done, 2 after saying what is wrong, 3 when the output cannot be written, 130 when
        interrupted, 143 when terminated, 129 when its terminal was closed (`--resume` goes on).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    return exit_code(PROGRAM, lambda: _train(arguments))


def _train(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    recipe = _recipe(options.recipe, options.seed)
    reading = read_data(options, training_split(options.layout))
    say(reading.report(), sys.stdout)
    places = backgrounds.read(options.backgrounds)
    if places.unreadable:
        say(str(LeftOut("unreadable backgrounds", tuple(places.unreadable))), sys.stdout)
    run = Run(
        reading.key(), len(reading.samples), len(places.names), recipe, backgrounds.key(places)
    )
    if recipe.pretrained:
        pretrained.require(0)
    run_record.prepare_folder(options.out, run, options.resume)
    with held([options.out]):
        _train_in_folder(reading, places, recipe, run, options, arguments)


def _train_in_folder(
    reading: Reading,
    places: Backgrounds,
    recipe: DetectorRecipe,
    run: Run,
    options: argparse.Namespace,
    arguments: Sequence[str],
) -> None:
    cut = cutting.by(open_detector("none"))
    crop_set = load_or_cut(reading.samples, _STORED, cut, "none", options.out)
    if crop_set.unreadable:
        say(cutting.left_out(crop_set.unreadable, crop_set.no_face), sys.stdout)
    for names, what in ((crop_set.names, "crops"), (places.names, "backgrounds")):
        parts = divide(names, recipe.held_out)
        if not parts.training or not parts.held_out:
            raise DataError(f"{len(names):,} {what} are too few to learn from and to hold out")

    # Imported late: TensorFlow takes seconds, and wrong usage should be told at once.
    from image_gender_classifier.train.common import history, plots, split_batch
    from image_gender_classifier.train.detector import course, saving

    split_batch.use_cores()
    run_record.write(run, options.out)
    model = course.train(crop_set, places, recipe, options.out)
    entry = saving.save(
        model,
        options.out,
        license=options.license,
        trained={"command": shlex.join([PROGRAM, *arguments]), **run_record.as_json(run)},
    )
    say(f"{options.out / entry.file}: {entry.bytes:,} bytes", sys.stdout)
    plots.learning_curves(options.out / history.HISTORY, options.out / _CURVES)


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Trains a face finder on scenes made of face crops, which --data gives in the "
        "classifier's frame, and of pictures without people.",
    )
    add_data_options(parser)
    add = parser.add_argument
    add(
        "--backgrounds", type=Path, required=True, metavar="DIR",
        help="folder of pictures without people",
    )  # fmt: skip
    add("--out", type=Path, required=True, metavar="DIR", help="folder for model and checkpoints")
    add("--resume", action="store_true", help="go on from the folder's last checkpoint")
    add(
        "--recipe", type=Path, metavar="FILE",
        help="epochs and all other numbers (default: train/detector/recipe.toml)",
    )  # fmt: skip
    add("--seed", type=int, metavar="N", help="of weights and scenes (default: the recipe's)")
    add(
        "--license", default="LicenseRef-unspecified", metavar="SPDX",
        help="licence of the model, for its manifest (default: %(default)s)",
    )  # fmt: skip
    return parser


def _recipe(path: Path | None, seed: int | None) -> DetectorRecipe:
    from image_gender_classifier.train.detector.recipe import SHIPPED, load
    from image_gender_classifier.train.gender.recipe import SEEDS

    recipe = load(path or SHIPPED)
    if seed is None:
        return recipe
    if not 0 <= seed < SEEDS:
        raise UsageError(f"--seed: is {seed}, but must be from 0 to {SEEDS - 1}")
    return replace(recipe, seed=seed)
