"""The command `image-gender-train-detector`: trains a face detector on synthetic scenes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier.errors import UsageError
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.train.common import crops, pretrained, training_command
from image_gender_classifier.train.common.command import Parser, print_line
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
    read_data_and_report,
    training_split,
)
from image_gender_classifier.train.common.listed_networks import (
    FACE_DETECTOR,
    check_held_out,
    find_listed,
    require_other_file,
)
from image_gender_classifier.train.datasets import Sample, backgrounds
from image_gender_classifier.train.datasets.backgrounds import Backgrounds
from image_gender_classifier.train.detector.scene_sources import split_sources
from image_gender_classifier.train.detector.teacher import Teacher, open_teacher

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.detector.recipe import DetectorRecipe

PROGRAM = "image-gender-train-detector"


@dataclass(frozen=True, slots=True)
class Run:
    """The inputs of a training run; `--resume` requires that they are unchanged.

    Attributes:
        data: Hash of the samples' names and labels.
        pictures: Hash of the picture files' contents.
        samples: Number of samples.
        backgrounds: Number of backgrounds.
        recipe: The recipe.
        backgrounds_key: Hash of the backgrounds' names and pixels.
        teacher: SHA-256 of the teacher's file; None without a teacher.
        start: SHA-256 of the file with the first weights; None for those of the recipe.
    """

    data: str
    pictures: str
    samples: int
    backgrounds: int
    recipe: DetectorRecipe
    backgrounds_key: str
    teacher: str | None
    start: str | None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-train-detector`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code (see `training_command.run_training_command`).
    """
    return training_command.run_training_command(PROGRAM, _train, argv)


def _train(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    from image_gender_classifier.train.detector.recipe import SHIPPED, load_detector_recipe

    recipe = load_detector_recipe(options.recipe or SHIPPED)
    recipe = replace(recipe, seed=training_command.choose_seed(options, recipe.seed))
    reading = read_data_and_report(options, training_split(options.layout))
    scenery = backgrounds.read_backgrounds_and_report(options.backgrounds)
    teacher, teacher_key = None, None
    if recipe.distilled:
        run_teacher, teacher_key = open_teacher(options.teacher or shipped_models(), recipe.size)
        teacher = Teacher(run_teacher, recipe.distilled)
    start = None if options.start is None else _find_start(options, recipe)
    data = reading.hash_labels()
    if start is not None:
        check_held_out(options.start, start, data, recipe.held_out)
    run = Run(
        data,
        reading.hash_pictures(),
        len(reading.samples),
        len(scenery.names),
        recipe,
        backgrounds.hash_backgrounds(scenery),
        teacher_key,
        None if start is None else start.sha256,
    )
    if recipe.pretrained and recipe.network == "lite0":
        pretrained.find_weights_package(0)
    training_command.train_in_run_folder(
        options,
        run,
        lambda: _train_in_folder(reading.samples, scenery, teacher, run, options, arguments),
        "DETECTOR_OUT",
    )


def _train_in_folder(
    samples: Sequence[Sample],
    scenery: Backgrounds,
    teacher: Teacher | None,
    run: Run,
    options: argparse.Namespace,
    arguments: Sequence[str],
) -> None:
    recipe = run.recipe
    crop_set = training_command.prepare_crops(samples, "none", crops.FACE_SIDE, options.out)
    sources = split_sources(crop_set, scenery, recipe.held_out)
    # After all checks, because TensorFlow takes seconds to import.
    from image_gender_classifier.train.common import history, keras_runtime, plots
    from image_gender_classifier.train.detector import saving, training

    training_command.start_run(options, run)
    start = None if options.start is None else keras_runtime.open_keras_model(options.start).model
    model = training.train_detector(*sources, teacher, start, recipe, options.out)
    trained = training_command.describe_training(PROGRAM, arguments, run)
    entry = saving.save_detector(model, options.out, license=options.license, trained=trained)
    print_line(f"{options.out / entry.file}: {entry.bytes:,} bytes", sys.stdout)
    plots.plot_learning_curves(options.out / history.HISTORY, options.out / training_command.CURVES)


def _find_start(options: argparse.Namespace, recipe: DetectorRecipe) -> FaceDetectorEntry:
    """Returns the manifest entry of the network of `--from`.

    Raises:
        ModelError: See `find_listed`.
        UsageError: It is another network than that of the recipe, or would be replaced.
    """
    entry = find_listed(options.start, FACE_DETECTOR)
    require_other_file(options.start, options.out / entry.file, "DETECTOR_OUT")
    network = entry.trained.get("recipe", {}).get("network")
    if network != recipe.network:
        raise UsageError(
            f"--from {options.start}: the network is {network}, but that of the recipe "
            f"{recipe.network}; choose another file or recipe"
        )
    return entry


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Trains a face detector on synthetic scenes: face crops with FairFace's margin "
        "(--data) pasted into pictures without people (--backgrounds).",
    )
    add_data_options(parser)
    add_backgrounds_option(parser)
    parser.add_argument(
        "--teacher", type=Path, metavar="DIR",
        help="folder of a converted face detector whose answers the network learns, too, if the "
        "recipe says so (default: the shipped one)",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FILE.keras",
        help="a trained face detector with the same `network` to start from (default: random "
        "weights, or those that the recipe says)",
    )  # fmt: skip
    training_command.add_training_options(parser, "train/detector/recipe.toml")
    return parser
