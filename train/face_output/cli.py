"""The command `image-gender-train-face-output`: adds a face output to a gender network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from image_gender_classifier import manifest
from image_gender_classifier.cli.argument_types import parse_positive
from image_gender_classifier.errors import ModelError
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.common import training_command
from image_gender_classifier.train.common.command import Parser, print_line
from image_gender_classifier.train.common.output_command import (
    Inputs,
    add_output_options,
    run_output_command,
    save_and_report,
)

if TYPE_CHECKING:  # imports OpenCV
    from image_gender_classifier.train.face_output.candidates import Search

PROGRAM = "image-gender-train-face-output"


@dataclass(frozen=True, slots=True)
class Run:
    """The inputs of a training run.

    Attributes:
        data: Hash of the samples' names and labels.
        backgrounds_key: See `backgrounds.hash_backgrounds`.
        model: SHA-256 of the gender network.
        detector: SHA-256 of the face detector.
        composites: Number of pictures with a face.
        plain: Number of pictures without a face.
        steps: Number of training steps.
        seed: Random seed.
    """

    data: str
    backgrounds_key: str
    model: str
    detector: str
    composites: int
    plain: int
    steps: int
    seed: int


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-train-face-output`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `command.run_with_exit_code`.
    """
    return run_output_command(_parser(), "FACE_OUTPUT_OUT", _train, argv)


def _train(options: argparse.Namespace, inputs: Inputs, arguments: Sequence[str]) -> None:
    search, detector_key = _open_search(options.detector_models or shipped_models())
    run = Run(
        inputs.data,
        inputs.backgrounds_key,
        inputs.original.sha256,
        detector_key,
        options.composites,
        options.plain,
        options.steps,
        inputs.seed,
    )

    from image_gender_classifier.train.common import keras_runtime
    from image_gender_classifier.train.face_output import candidates, network
    from image_gender_classifier.train.face_output.bounds import FACE_OUTPUT

    found = candidates.collect_candidates(
        search,
        inputs.faces,
        inputs.places,
        composites=options.composites,
        plain=options.plain,
        size=inputs.original.input_shape[0],
        seed=inputs.seed,
    )
    count = int(found.is_face.sum())
    print_line(
        f"candidates: {count:,} faces, {len(found.is_face) - count:,} others; training the output",
        sys.stdout,
    )
    runtime, _ = keras_runtime.open_keras_with_entry(options.model)
    model = network.add_face_output(runtime.model, found, inputs.seed, options.steps)
    trained = training_command.describe_training(PROGRAM, arguments, run)
    save_and_report(model, inputs.original, options.out, trained, FACE_OUTPUT)


def _open_search(folder: Path) -> tuple[Search, str]:
    """Opens the TFLite face detector of a model folder; returns it and the SHA-256 of its file.

    Raises:
        ModelError: The folder lists no such network, or its file is missing or corrupt.
        RuntimeMissing: No runtime for it is available.
    """
    from image_gender_classifier.detection.geometry import Framing
    from image_gender_classifier.detection.tile_network import TileNetwork
    from image_gender_classifier.runtimes.networks import open_network
    from image_gender_classifier.train.face_output.candidates import Search

    for entry in manifest.load(folder).face_detectors.values():
        if entry.format == "tflite":
            network = TileNetwork(open_network("tflite", folder, entry), entry)
            framing = Framing(entry.frame_scale, shift_y=0.0)
            return Search(network, entry.search, framing), entry.sha256
    raise ModelError(
        f"{folder}: lists no converted face detector; run image-gender-convert-detector"
    )


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Adds a second output to a trained gender network, which decides about "
        "doubtful faces of the face detector. It learns from what the detector takes for a face in "
        "pictures composed of --data and --backgrounds. The gender output does not change.",
    )
    add_output_options(parser, seed=5)
    add = parser.add_argument
    add(
        "--composites", type=parse_positive, default=4000, metavar="N",
        help="number of pictures with a face (default: %(default)s)",
    )  # fmt: skip
    add(
        "--plain", type=parse_positive, default=9000, metavar="N",
        help="number of pictures without a face (default: %(default)s)",
    )  # fmt: skip
    add(
        "--steps", type=parse_positive, default=1500, metavar="N",
        help="number of training steps of 256 candidates (default: %(default)s)",
    )  # fmt: skip
    return parser
