"""What the commands that add an output to a gender network have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from image_gender_classifier import manifest
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceOutput, FrameOutput, ModelEntry
from image_gender_classifier.train.common import training_command
from image_gender_classifier.train.common.command import Parser, print_line
from image_gender_classifier.train.common.data_options import (
    add_backgrounds_option,
    add_data_options,
    read_data_and_report,
    training_split,
)
from image_gender_classifier.train.common.run_record import check_run_finished
from image_gender_classifier.train.common.split import split_names
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.detector import backgrounds

if TYPE_CHECKING:
    import keras

_CROP_SIDE = 128  # pixels
_HELD_OUT = 0.05  # fraction of the faces and of the backgrounds; as in the conversion


class Inputs(NamedTuple):
    """The inputs of a command that adds an output.

    Attributes:
        original: Manifest entry of the gender network.
        faces: Face crops to train on, uint8 RGB, S x S x 3.
        places: Pictures without people to train on, uint8 RGB, H x W x 3.
        data: Hash of the samples' names and labels.
        backgrounds_key: Hash of the backgrounds' names and sizes.
    """

    original: ModelEntry
    faces: Sequence[Pixels]
    places: Sequence[Pixels]
    data: str
    backgrounds_key: str


def add_output_options(parser: Parser) -> None:
    """Adds the options for data, backgrounds, gender network, face detector and output folder."""
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


def read_inputs(options: argparse.Namespace) -> Inputs:
    """Reads the data and the backgrounds, and the manifest entry of the gender network.

    Creates the output folder and the crop cache.

    Args:
        options: Parsed arguments of `add_output_options`.

    Raises:
        DataError: The data or the backgrounds cannot be used, or are too few.
        ModelError: The model or its manifest is missing or corrupt, or its training has not ended.
        OSError, OutputError, RuntimeMissing: See `training_command.prepare_crops`.
    """
    check_run_finished(options.model)
    original = manifest.find_model(options.model)
    reading = read_data_and_report(options, training_split(options.layout))
    scenery = backgrounds.read_backgrounds_and_report(options.backgrounds)
    options.out.mkdir(parents=True, exist_ok=True)
    crop_set = training_command.prepare_crops(reading.samples, "none", _CROP_SIDE, options.out)
    faces, places = split_names(crop_set.names, _HELD_OUT), split_names(scenery.names, _HELD_OUT)
    if not faces.training or not places.training:
        raise DataError("too few pictures in --data or --backgrounds; add more")
    return Inputs(
        original,
        [crop_set.crops[position] for position in faces.training],
        [scenery.pictures[position] for position in places.training],
        reading.hash_labels(),
        backgrounds.hash_backgrounds(scenery),
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
    print_line(
        f"next: image-gender-convert --model {folder / entry.file} with the same --data",
        sys.stdout,
    )
