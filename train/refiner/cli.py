"""The command `image-gender-train-refiner`: trains a face refiner on the detector's candidates."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier import manifest
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceRefinerEntry
from image_gender_classifier.train.common import crops, training_command
from image_gender_classifier.train.common.command import Parser, print_line
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
    read_data_and_report,
    training_split,
)
from image_gender_classifier.train.common.listed_networks import (
    FACE_DETECTOR,
    FACE_REFINER,
    NetworkKind,
    check_held_out,
    find_listed,
    require_other_file,
)
from image_gender_classifier.train.datasets import Sample, backgrounds
from image_gender_classifier.train.datasets.backgrounds import Backgrounds
from image_gender_classifier.train.detector.scene_sources import split_sources
from image_gender_classifier.train.refiner.used_networks import (
    UsedNetworks,
    find_keras_detector,
    find_networks,
)

if TYPE_CHECKING:  # imports pydantic, which can be missing
    from image_gender_classifier.train.refiner.recipe import RefinerRecipe

PROGRAM = "image-gender-train-refiner"


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
        models: SHA-256 of the network to start from and of those that find and verify candidates,
            by file name.
    """

    data: str
    pictures: str
    samples: int
    backgrounds: int
    recipe: RefinerRecipe
    backgrounds_key: str
    models: dict[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-train-refiner`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code (see `training_command.run_training_command`).
    """
    return training_command.run_training_command(PROGRAM, _train, argv)


def _train(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    from image_gender_classifier.train.refiner.recipe import SHIPPED, load_refiner_recipe

    recipe = load_refiner_recipe(options.recipe or SHIPPED)
    recipe = replace(recipe, seed=training_command.choose_seed(options, recipe.seed))
    networks = find_networks(options.models or shipped_models())
    options.start = options.start or find_keras_detector(networks.folder)
    start = find_listed(options.start, _START)
    require_other_file(options.start, options.out / "face_refiner.keras", "REFINER_OUT")
    reading = read_data_and_report(options, training_split(options.layout))
    scenery = backgrounds.read_backgrounds_and_report(options.backgrounds)
    data = reading.hash_labels()
    check_held_out(options.start, start, data, recipe.held_out)
    run = Run(
        data,
        reading.hash_pictures(),
        len(reading.samples),
        len(scenery.names),
        recipe,
        backgrounds.hash_backgrounds(scenery),
        {entry.file: entry.sha256 for entry in (start, networks.detector, networks.gender)},
    )
    training_command.train_in_run_folder(
        options,
        run,
        lambda: _train_in_folder(reading.samples, scenery, networks, run, options, arguments),
        "REFINER_OUT",
    )


def _list_starts(models: manifest.Manifest) -> Mapping[str, FaceDetectorEntry | FaceRefinerEntry]:
    """Returns the entries of the networks that a refiner can start from, by file name."""
    entries: dict[str, FaceDetectorEntry | FaceRefinerEntry] = dict(models.face_detectors)
    entries.update(models.face_refiners)
    return entries


_START = NetworkKind(
    f"{FACE_DETECTOR.name} or {FACE_REFINER.name}",
    f"{FACE_DETECTOR.program} or {FACE_REFINER.program}",
    _list_starts,
)


def _train_in_folder(
    samples: Sequence[Sample],
    scenery: Backgrounds,
    networks: UsedNetworks,
    run: Run,
    options: argparse.Namespace,
    arguments: Sequence[str],
) -> None:
    crop_set = training_command.prepare_crops(samples, "none", crops.FACE_SIDE, options.out)
    sources = split_sources(crop_set, scenery, run.recipe.held_out)
    # After all checks, because TensorFlow takes seconds to import.
    from image_gender_classifier.train.common import history, keras_runtime, plots
    from image_gender_classifier.train.refiner import saving, training
    from image_gender_classifier.train.refiner.search import open_search

    training_command.start_run(options, run)
    model = training.train_refiner(
        open_search(networks),
        keras_runtime.open_keras_model(options.start).model,
        *sources,
        run.recipe,
        options.out,
    )
    trained = training_command.describe_training(PROGRAM, arguments, run)
    entry = saving.save_refiner(model, options.out, license=options.license, trained=trained)
    print_line(f"{options.out / entry.file}: {entry.bytes:,} bytes", sys.stdout)
    plots.plot_learning_curves(options.out / history.HISTORY, options.out / training_command.CURVES)


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Trains a face refiner, which scores candidates of the face detector and "
        "corrects their frames, on what the detector finds in pictures composed of --data (face "
        "crops with FairFace's margin) and --backgrounds (pictures without people).",
    )
    add_data_options(parser)
    add_backgrounds_option(parser)
    parser.add_argument(
        "--models", type=Path, metavar="DIR",
        help="folder of the face detector, trained and converted, and of the converted gender "
        "network with a face output (default: the shipped ones)",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FILE.keras",
        help="a trained face refiner of the same size, or a face detector with the network "
        '"small", to start from (default: the face detector of --models)',
    )  # fmt: skip
    training_command.add_training_options(parser, "train/refiner/recipe.toml")
    return parser
