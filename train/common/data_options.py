"""Options for labelled pictures and backgrounds, shared by the training commands."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.datasets import LabelOptions, Layout, Reading, Split, read
from image_gender_classifier.train.datasets.sample import BinaryGender


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--data`, `--layout`, `--labels` and the options of the label file."""
    group = parser.add_argument_group("labelled pictures")
    add = group.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of labelled pictures")
    add(
        "--layout", choices=get_args(Layout), required=True,
        help="fairface: label files fairface_label_train.csv and _val.csv; utkface: labels in "
        "the file names; folders: in folders female and male; user-id: <user id>.<ending> each, "
        "labelled by --labels",
    )  # fmt: skip
    add(
        "--labels", type=Path, metavar="CSV",
        help="label file with one row per user; required by --layout user-id",
    )  # fmt: skip
    add("--id-column", metavar="NAME", help="column of user ids (default: by header)")
    add(
        "--gender-column",
        metavar="NAME",
        help="column of genders (default: by header)",
    )
    add(
        "--zero-is", choices=get_args(BinaryGender),
        help="meaning of 0 if genders are written as 0 and 1 (default: reject such labels)",
    )  # fmt: skip


def add_backgrounds_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--backgrounds`."""
    parser.add_argument(
        "--backgrounds", type=Path, required=True, metavar="DIR",
        help="folder of pictures without people",
    )  # fmt: skip


def read_reported(arguments: argparse.Namespace, split: Split) -> Reading:
    """Reads labelled pictures as `read_data` does and prints their number."""
    reading = read_data(arguments, split)
    say(reading.report(), sys.stdout)
    return reading


def read_data(arguments: argparse.Namespace, split: Split) -> Reading:
    """Reads labelled pictures.

    Args:
        arguments: The options of `add_data_options`.
        split: The part to read.

    Raises:
        DataError: Labels or pictures are missing or wrong.
        UsageError: The options contradict each other.
    """
    return read(arguments.layout, arguments.data, split, _label_options(arguments))


def default_test_split(layout: Layout) -> Split:
    """Gives the split to evaluate on: FairFace's validation part; all pictures of other layouts."""
    return "val" if layout == "fairface" else "all"


def training_split(layout: Layout) -> Split:
    """Gives the split to train on: FairFace's training part; all pictures of other layouts.

    Training holds out a part of it for validation.
    """
    return "train" if layout == "fairface" else "all"


def _label_options(arguments: argparse.Namespace) -> LabelOptions | None:
    columns = (arguments.id_column, arguments.gender_column, arguments.zero_is)
    if arguments.labels is not None:
        return LabelOptions(arguments.labels, *columns)
    if arguments.layout == "user-id":
        raise UsageError("--layout user-id requires --labels")
    if any(option is not None for option in columns):
        raise UsageError("--id-column, --gender-column and --zero-is require --labels")
    return None
