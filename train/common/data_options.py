"""The options `--data`, `--layout`, `--labels` and `--backgrounds`; reads the labelled pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.datasets import (
    LabelOptions,
    Layout,
    Reading,
    Split,
    read_data_set,
)
from image_gender_classifier.train.datasets.sample import BinaryGender


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--data`, `--layout`, `--labels`, `--id-column`, `--gender-column` and `--zero-is`."""
    group = parser.add_argument_group("labelled pictures")
    add = group.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of labelled pictures")
    add(
        "--layout", choices=get_args(Layout), required=True,
        help="fairface: label files fairface_label_train.csv and _val.csv; utkface: labels in "
        "the file names; folders: pictures in folders female and male; user-id: pictures named "
        "<user ID>.<extension>, labels in --labels",
    )  # fmt: skip
    add(
        "--labels", type=Path, metavar="CSV",
        help="label file with one row per user; required for --layout user-id",
    )  # fmt: skip
    add("--id-column", metavar="NAME", help="column of user IDs (default: found by its header)")
    add(
        "--gender-column",
        metavar="NAME",
        help="column of genders (default: found by its header)",
    )
    add(
        "--zero-is", choices=get_args(BinaryGender),
        help="gender that 0 stands for if labels are 0 and 1 (default: reject such labels)",
    )  # fmt: skip


def add_backgrounds_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--backgrounds`."""
    parser.add_argument(
        "--backgrounds", type=Path, required=True, metavar="DIR",
        help="folder of pictures without people",
    )  # fmt: skip


def read_data_and_report(arguments: argparse.Namespace, split: Split) -> Reading:
    """Calls `read_data` and prints the number of samples and the skipped items to stdout.

    Arguments, result and exceptions are those of `read_data`.
    """
    reading = read_data(arguments, split)
    print_line(reading.summary(), sys.stdout)
    return reading


def read_data(arguments: argparse.Namespace, split: Split) -> Reading:
    """Reads the labelled pictures that `--data`, `--layout` and the label options specify.

    Args:
        arguments: The options of `add_data_options`.
        split: The split to read.

    Returns:
        At least one sample of the split, and the items that were skipped while reading.

    Raises:
        DataError: Labels or pictures are missing or invalid, or the split is empty.
        UsageError: The label options do not match `--layout`.
    """
    return read_data_set(arguments.layout, arguments.data, split, _label_options(arguments))


def default_test_split(layout: Layout) -> Split:
    """Returns the split to evaluate on: "val" for FairFace, "all" for other layouts."""
    return "val" if layout == "fairface" else "all"


def training_split(layout: Layout) -> Split:
    """Returns the split to train on: "train" for FairFace, "all" for other layouts.

    Training holds out a fraction of that split for validation.
    """
    return "train" if layout == "fairface" else "all"


def _label_options(arguments: argparse.Namespace) -> LabelOptions | None:
    """Returns the options of the label file; None if `--labels` is not given.

    Raises:
        UsageError: `--labels` is not given, but the layout or another label option requires it.
    """
    columns = (arguments.id_column, arguments.gender_column, arguments.zero_is)
    if arguments.labels is not None:
        return LabelOptions(arguments.labels, *columns)
    if arguments.layout == "user-id":
        raise UsageError("--layout user-id requires --labels")
    if any(option is not None for option in columns):
        raise UsageError("--id-column, --gender-column and --zero-is require --labels")
    return None
