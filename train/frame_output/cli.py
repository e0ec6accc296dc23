"""The command `image-gender-train-frame-output`: adds a frame output to a gender network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from image_gender_classifier import manifest
from image_gender_classifier.cli.argument_types import parse_positive
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.common import training_command
from image_gender_classifier.train.common.command import Parser, print_line
from image_gender_classifier.train.common.detector_option import format_cache_key
from image_gender_classifier.train.common.output_command import (
    Inputs,
    add_output_options,
    run_output_command,
    save_and_report,
)

PROGRAM = "image-gender-train-frame-output"


@dataclass(frozen=True, slots=True)
class Run:
    """The inputs of a training run.

    Attributes:
        data: Hash of the samples' names and labels.
        backgrounds_key: See `backgrounds.hash_backgrounds`.
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
    return run_output_command(_parser(), "FRAME_OUTPUT_OUT", _train, argv)


def _train(options: argparse.Namespace, inputs: Inputs, arguments: Sequence[str]) -> None:
    from image_gender_classifier.detection import registry
    from image_gender_classifier.train.common import keras_runtime
    from image_gender_classifier.train.frame_output import network, views

    models = manifest.load(options.detector_models or shipped_models())
    detector = registry.open_detector("network", models, "tflite")
    run = Run(
        inputs.data,
        inputs.backgrounds_key,
        inputs.original.sha256,
        format_cache_key("network", detector),
        options.pictures,
        options.steps,
        inputs.seed,
    )
    found = views.collect_views(
        detector,
        inputs.faces,
        inputs.places,
        pictures=options.pictures,
        size=inputs.original.input_shape[0],
        seed=inputs.seed,
    )
    print_line(f"views: {len(found.crops):,}; training the output", sys.stdout)
    runtime, _ = keras_runtime.open_keras_with_entry(options.model)
    model = network.add_frame_output(runtime.model, found, inputs.seed, options.steps)
    trained = training_command.describe_training(PROGRAM, arguments, run)
    save_and_report(model, inputs.original, options.out, trained, network.UNITS)


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Adds an output to a trained gender network, which corrects the frames of "
        "detected faces. It learns from the faces that the detector finds in pictures composed of "
        "--data and --backgrounds. The other outputs do not change.",
    )
    add_output_options(parser, seed=1)
    add = parser.add_argument
    add(
        "--pictures", type=parse_positive, default=24000, metavar="N",
        help="number of pictures with a face (default: %(default)s)",
    )  # fmt: skip
    add(
        "--steps", type=parse_positive, default=4000, metavar="N",
        help="number of training steps of 256 views (default: %(default)s)",
    )  # fmt: skip
    return parser
