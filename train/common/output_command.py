"""Options and steps of the commands that add an output to a gender network."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from image_gender_classifier import manifest
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceOutput, FrameOutput, ModelEntry
from image_gender_classifier.system.locking import lock_folders
from image_gender_classifier.train.common import crops, training_command
from image_gender_classifier.train.common.command import Parser, print_line, run_with_exit_code
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
    read_data_and_report,
    training_split,
)
from image_gender_classifier.train.common.listed_networks import require_other_file
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import HELD_OUT_FRACTION, split_names
from image_gender_classifier.train.datasets import DataError, backgrounds

if TYPE_CHECKING:
    import keras


class Inputs(NamedTuple):
    """The inputs of a command that adds an output.

    Attributes:
        original: Manifest entry of the gender network.
        faces: Face crops to train on, uint8 RGB, S x S x 3.
        places: Pictures without people to train on, uint8 RGB, H x W x 3.
        data: Hash of the samples' names and labels.
        backgrounds_key: See `backgrounds.hash_backgrounds`.
        seed: Random seed.
    """

    original: ModelEntry
    faces: Sequence[Pixels]
    places: Sequence[Pixels]
    data: str
    backgrounds_key: str
    seed: int


Train = Callable[[argparse.Namespace, Inputs, Sequence[str]], None]
"""Trains, from the parsed arguments, the inputs and the arguments as they were given."""


def run_output_command(
    parser: Parser, variable: str, train: Train, argv: Sequence[str] | None
) -> int:
    """Runs a command that adds an output, and returns its exit code.

    Args:
        parser: The parser, with `add_output_options`.
        variable: The variable of the Makefile that names the output folder.
        train: Function that trains and saves the network in the output folder, which is locked.
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code of `command.run_with_exit_code`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)

    def work() -> None:
        options = parser.parse_args(arguments)
        seed = training_command.choose_seed(options, parser.get_default("seed"))
        check_run_finished(options.model)
        original = manifest.find_model(options.model)
        require_other_file(options.model, options.out / original.file, variable)
        options.out.mkdir(parents=True, exist_ok=True)
        with lock_folders([options.out]):
            train(options, _read_inputs(options, original, seed), arguments)

    return run_with_exit_code(
        parser.prog, work, interrupted="interrupted; nothing was saved, run the command again"
    )


def add_output_options(parser: Parser, seed: int) -> None:
    """Adds the options for data, backgrounds, networks, output folder and seed.

    Args:
        parser: The parser to extend.
        seed: The default of `--seed`.
    """
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
    add("--seed", type=int, default=seed, metavar="N", help="random seed (default: %(default)s)")


def _read_inputs(options: argparse.Namespace, original: ModelEntry, seed: int) -> Inputs:
    """Reads the data and the backgrounds; creates the crop cache.

    Args:
        options: Parsed arguments of `add_output_options`.
        original: Manifest entry of the gender network.
        seed: Random seed.

    Raises:
        DataError: The data or the backgrounds cannot be used, or are too few.
        OSError, OutputError, RuntimeMissing: See `training_command.prepare_crops`.
    """
    reading = read_data_and_report(options, training_split(options.layout))
    scenery = backgrounds.read_backgrounds_and_report(options.backgrounds)
    crop_set = training_command.prepare_crops(reading.samples, "none", crops.FACE_SIDE, options.out)
    faces = split_names(crop_set.names, HELD_OUT_FRACTION)
    places = split_names(scenery.names, HELD_OUT_FRACTION)
    if not faces.training or not places.training:
        raise DataError("too few pictures in --data or --backgrounds; add more")
    return Inputs(
        original,
        [crop_set.crops[position] for position in faces.training],
        [scenery.pictures[position] for position in places.training],
        reading.hash_labels(),
        backgrounds.hash_backgrounds(scenery),
        seed,
    )


def save_and_report(
    model: keras.Model,
    original: ModelEntry,
    folder: Path,
    trained: Mapping[str, Any],
    output: FaceOutput | FrameOutput,
) -> None:
    """Saves the network with its new output, and prints the file and what to do next.

    Arguments and exceptions are those of `added_output.save_with_output`.
    """
    from image_gender_classifier.train.common import added_output

    entry = added_output.save_with_output(model, original, folder, trained, output)
    print_line(f"{folder / entry.file}: {entry.bytes:,} bytes", sys.stdout)
    file = shlex.quote(str(folder / entry.file))
    print_line(
        f"next: image-gender-convert --model {file} with the same --data",
        sys.stdout,
    )
