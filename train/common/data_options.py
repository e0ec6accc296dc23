"""The options that say which labelled pictures to read, alike for every command that reads some."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from image_gender_classifier.errors import UsageError
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
        help="label file with a row a user; for --layout user-id, which needs it",
    )  # fmt: skip
    add("--id-column", metavar="NAME", help="its column with user ids (default: by its header)")
    add("--gender-column", metavar="NAME", help="its column with genders (default: by its header)")
    add(
        "--zero-is", choices=get_args(BinaryGender),
        help="what 0 stands for where genders are written as 0 and 1 (default: none, refuse them)",
    )  # fmt: skip


def read_data(arguments: argparse.Namespace, split: Split) -> Reading:
    """Reads the labelled pictures that the options name.

    Args:
        arguments: Parsed by a parser with `add_data_options`.
        split: The part to read.

    Raises:
        DataError: Labels or pictures are missing or wrong.
        UsageError: The options do not go together.
    """
    return read(arguments.layout, arguments.data, split, _label_options(arguments))


def default_test_split(layout: Layout) -> Split:
    """The part to measure on: FairFace's own validation part, of other layouts all."""
    return "val" if layout == "fairface" else "all"


def training_split(layout: Layout) -> Split:
    """The part that training is given: FairFace's own, of other layouts all.

    FairFace's validation part is for measuring; training holds out a part of what it is given.
    """
    return "train" if layout == "fairface" else "all"


def _label_options(arguments: argparse.Namespace) -> LabelOptions | None:
    columns = (arguments.id_column, arguments.gender_column, arguments.zero_is)
    if arguments.labels is not None:
        return LabelOptions(arguments.labels, *columns)
    if arguments.layout == "user-id":
        raise UsageError("--layout user-id: needs the label file, give it with --labels")
    if any(option is not None for option in columns):
        raise UsageError("--id-column, --gender-column and --zero-is: only go with --labels")
    return None
