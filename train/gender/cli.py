"""`image-gender-train`: labelled pictures in, a Keras model with its manifest out."""

from __future__ import annotations

import argparse
import hashlib
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.errors import UsageError
from image_gender_classifier.system.locking import held
from image_gender_classifier.train.common import cutting, history, pretrained, run_record
from image_gender_classifier.train.common.command import Parser, exit_code, say
from image_gender_classifier.train.common.crops import CropSet, load_or_cut
from image_gender_classifier.train.common.data_options import (
    add_data_options,
    read_data,
    training_split,
)
from image_gender_classifier.train.common.detector_option import (
    add_detector_option,
    detector_key,
    open_detector,
)
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, Reading, Sample

if TYPE_CHECKING:  # it needs pydantic, whose absence is to be told in a line
    from image_gender_classifier.train.gender.recipe import Recipe

PROGRAM = "image-gender-train"
_CURVES = "learning_curves.png"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Run:
    """What decides a run's outcome; only an equal run is resumed.

    Attributes:
        data: Hash of the samples' names and labels.
        pictures: Hash of the sizes of their files, by which changed pictures are noticed.
        samples: How many samples there are.
        layout: Layout of the data set.
        detector: How the crops are cut, with the detector's settings.
        recipe: How the classifier is made.
    """

    data: str
    pictures: str
    samples: int
    layout: str
    detector: str
    recipe: Recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Trains a classifier.

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
    recipe = _recipe(options)
    reading = read_data(options, training_split(options.layout))
    say(reading.report(), sys.stdout)
    _check_genders(reading.samples, "samples")
    run = _run(reading, options, recipe)
    if recipe.pretrained:
        for training in (*recipe.teachers, recipe.student):
            pretrained.require(training.lite)
    run_record.prepare_folder(options.out, run, options.resume)
    with held([options.out]):
        _train_in_folder(reading, recipe, run, options, arguments)


def _train_in_folder(
    reading: Reading,
    recipe: Recipe,
    run: Run,
    options: argparse.Namespace,
    arguments: Sequence[str],
) -> None:
    crop_set = _crops(reading, options.detector, recipe.stored_size, options.out)
    _check_parts(crop_set, recipe.held_out)

    # Imported late: TensorFlow takes seconds, and wrong usage should be told at once.
    from image_gender_classifier.train.common import plots, split_batch
    from image_gender_classifier.train.gender import course, saving

    split_batch.use_cores()
    run_record.write(run, options.out)
    model = course.train(crop_set, recipe, options.out)
    entry = saving.save(
        model,
        crop_set,
        recipe,
        options.out,
        license=options.license,
        trained={"command": shlex.join([PROGRAM, *arguments]), **run_record.as_json(run)},
    )
    say(f"{options.out / entry.file}: {entry.bytes:,} bytes, {entry.measured}", sys.stdout)
    for name in course.trainings(recipe):
        plots.learning_curves(options.out / name / history.HISTORY, options.out / name / _CURVES)


def _parser() -> Parser:
    parser = Parser(prog=PROGRAM, description="Trains a perceived-gender classifier.")
    add_data_options(parser)
    add_detector_option(parser)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder for model and checkpoints")
    add("--resume", action="store_true", help="go on from the folder's last checkpoint")
    add(
        "--from-scratch", action="store_true",
        help="start from random weights instead of ImageNet's",
    )  # fmt: skip
    add(
        "--recipe", type=Path, metavar="FILE",
        help="networks, epochs and all other numbers (default: train/gender/recipe.toml)",
    )  # fmt: skip
    add(
        "--without-teachers", action="store_true",
        help="train the small network on the labels at once: less accurate, a fraction of the time",
    )  # fmt: skip
    add(
        "--seed", type=int, metavar="N",
        help="of weights, order and augmentation (default: the recipe's)",
    )  # fmt: skip
    add(
        "--license", default="LicenseRef-unspecified", metavar="SPDX",
        help="licence of the model, for its manifest (default: %(default)s)",
    )  # fmt: skip
    return parser


def _recipe(options: argparse.Namespace) -> Recipe:
    from image_gender_classifier.train.gender.recipe import SEEDS, SHIPPED, load

    recipe = load(options.recipe or SHIPPED)
    if options.without_teachers:
        recipe = replace(recipe, teachers=(), student=replace(recipe.student, taught=False))
    if options.from_scratch:
        recipe = replace(recipe, pretrained=False)
    if options.seed is None:
        return recipe
    if not 0 <= options.seed < SEEDS:
        raise UsageError(f"--seed: is {options.seed}, but must be from 0 to {SEEDS - 1}")
    return replace(recipe, seed=options.seed)


def _run(reading: Reading, options: argparse.Namespace, recipe: Recipe) -> Run:
    sizes = " ".join(str(sample.path.stat().st_size) for sample in reading.samples)
    return Run(
        data=reading.key(),
        pictures=hashlib.sha256(sizes.encode()).hexdigest()[:_DIGITS],
        samples=len(reading.samples),
        layout=options.layout,
        detector=detector_key(options.detector),
        recipe=recipe,
    )


def _crops(reading: Reading, choice: str, size: int, folder: Path) -> CropSet:
    cut = cutting.by(open_detector(choice))
    crop_set = load_or_cut(reading.samples, size, cut, detector_key(choice), folder)
    if crop_set.unreadable or crop_set.no_face:
        say(cutting.left_out(crop_set.unreadable, crop_set.no_face), sys.stdout)
    return crop_set


def _check_parts(crop_set: CropSet, fraction: float) -> None:
    """Refuses what leaves nothing to learn from, or nothing to measure and calibrate on."""
    count = len(crop_set.samples)
    if not count:
        raise DataError(cutting.nothing_cut(len(crop_set.unreadable), len(crop_set.no_face)))
    learnt = [sample for sample in crop_set.samples if not is_held_out(sample.name, fraction)]
    if not learnt or len(learnt) == count:
        raise DataError(
            f"of {count:,} crops {'all are' if not learnt else 'none is'} held out for "
            "validation, which the names decide; give more pictures"
        )
    _check_genders(learnt, "crops to learn from")


def _check_genders(samples: Sequence[Sample], what: str) -> None:
    """Refuses what shows only one gender: nothing could be told apart."""
    genders = {sample.gender for sample in samples}
    if len(genders) == 1:
        raise DataError(
            f"all {len(samples):,} {what} are {genders.pop()}; training needs pictures of both "
            "genders"
        )
