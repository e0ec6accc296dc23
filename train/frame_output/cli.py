"""The command `image-gender-train-frame-output`: adds a frame output to a gender network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_gender_classifier import manifest
from image_gender_classifier.cli.argument_types import parse_positive
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.common import training_command
from image_gender_classifier.train.common.command import Parser, print_line
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
    read_data_and_report,
    training_split,
)
from image_gender_classifier.train.common.detector_option import format_cache_key
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import split_names
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.detector import backgrounds

PROGRAM = "image-gender-train-frame-output"
_CROP_SIDE = 128  # pixels
_HELD_OUT = 0.05  # fraction of the faces and of the backgrounds; as in the conversion


@dataclass(frozen=True, slots=True)
class Run:
    """The inputs of a training run.

    Attributes:
        data: Hash of the samples' names and labels.
        backgrounds_key: Hash of the backgrounds' names and sizes.
        model: SHA-256 of the gender network.
        detector: Cache key of the face detector.
        pictures: Number of pictures.
        steps: Number of training steps.
        seed: Random seed.
    """

    data: str
    backgrounds_key: str
    model: str
    detector: str
    pictures: int
    steps: int
    seed: int


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-train-frame-output`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `command.run_with_exit_code`.
    """
    return training_command.run_training_command(PROGRAM, _train, argv)


def _train(arguments: Sequence[str]) -> None:
    options = _parser().parse_args(arguments)
    check_run_finished(options.model)
    original = manifest.find_model(options.model)
    reading = read_data_and_report(options, training_split(options.layout))
    scenery = backgrounds.read_backgrounds_and_report(options.backgrounds)

    from image_gender_classifier.detection import registry

    models = manifest.load(options.detector_models or shipped_models())
    detector = registry.open_detector("network", models, "tflite")
    run = Run(
        reading.hash_labels(),
        backgrounds.hash_backgrounds(scenery),
        original.sha256,
        format_cache_key("network", detector),
        options.pictures,
        options.steps,
        options.seed,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    crop_set = training_command.prepare_crops(reading.samples, "none", _CROP_SIDE, options.out)
    faces, places = split_names(crop_set.names, _HELD_OUT), split_names(scenery.names, _HELD_OUT)
    if not faces.training or not places.training:
        raise DataError("too few pictures in --data or --backgrounds; add more")

    from image_gender_classifier.train.common import added_output, keras_runtime
    from image_gender_classifier.train.frame_output import network, views

    found = views.collect_views(
        detector,
        [crop_set.crops[position] for position in faces.training],
        [scenery.pictures[position] for position in places.training],
        pictures=options.pictures,
        size=original.input_shape[0],
        seed=options.seed,
    )
    print_line(f"views: {len(found.crops):,}; training the output", sys.stdout)
    runtime, _ = keras_runtime.open_keras_with_entry(options.model)
    model = network.add_frame_output(runtime.model, found, options.seed, options.steps)
    trained = training_command.describe_training(PROGRAM, arguments, run)
    entry = added_output.save_with_output(model, original, options.out, trained, network.UNITS)
    print_line(f"{options.out / entry.file}: {entry.bytes:,} bytes", sys.stdout)
    print_line(
        f"next: image-gender-convert --model {options.out / entry.file} with the same --data",
        sys.stdout,
    )


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Adds an output to a trained gender network, which corrects the frames of "
        "detected faces. It learns from the faces that the detector finds in pictures composed of "
        "--data and --backgrounds. The other outputs do not change.",
    )
    add_data_options(parser)
    add_backgrounds_option(parser)
    add = parser.add_argument
    add("--model", type=Path, required=True, metavar="FILE", help="the trained gender.keras")
    add(
        "--detector-models", type=Path, metavar="DIR",
        help="folder of the converted face detector (default: the shipped one)",
    )  # fmt: skip
    add(
        "--out", type=Path, required=True, metavar="DIR",
        help="folder for the new gender.keras and the crop cache",
    )  # fmt: skip
    add(
        "--pictures", type=parse_positive, default=24000, metavar="N",
        help="number of pictures with a face (default: %(default)s)",
    )  # fmt: skip
    add(
        "--steps", type=parse_positive, default=4000, metavar="N",
        help="number of training steps of 256 views (default: %(default)s)",
    )  # fmt: skip
    add("--seed", type=int, default=1, metavar="N", help="random seed (default: %(default)s)")
    return parser
