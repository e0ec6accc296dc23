"""The options for labelled pictures, such as `--data` and `--layout`; reads these pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.command import parse_probability, print_line
from image_gender_classifier.train.common.split import HELD_OUT_FRACTION
from image_gender_classifier.train.datasets import (
    LabelOptions,
    Layout,
    Reading,
    Split,
    read_data_set,
)
from image_gender_classifier.train.datasets.genders import FEMALE, MALE, add_words
from image_gender_classifier.train.datasets.sample import BinaryGender
from image_gender_classifier.train.datasets.user_id import MAX_MISSING


def add_data_options(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Adds `--data`, `--layout`, `--labels` and the options of labels.

    Args:
        parser: The parser to extend.
        required: Whether `--data` and `--layout` are required.
    """
    group = parser.add_argument_group("labelled pictures")
    add = group.add_argument
    add("--data", type=Path, required=required, metavar="DIR", help="folder of labelled pictures")
    add(
        "--layout", choices=get_args(Layout), required=required,
        help="folders: pictures in folders female and male; user-id: pictures named "
        "<user ID>.<extension>, labels in --labels; fairface: label files "
        "fairface_label_train.csv and _val.csv; utkface: labels in the file names",
    )  # fmt: skip
    add(
        "--labels", type=Path, metavar="CSV",
        help="label file with a row per user or picture, also corrections.csv of "
        "image-gender-review; required for --layout user-id",
    )  # fmt: skip
    add(
        "--female", type=_split_words, default=(), metavar="WORDS",
        help="more words for female in labels and folder names, such as mujer,m; "
        f"{', '.join(FEMALE)} need no option",
    )  # fmt: skip
    add(
        "--male", type=_split_words, default=(), metavar="WORDS",
        help=f"more words for male; {', '.join(MALE)} need no option",
    )  # fmt: skip
    add(
        "--max-missing", type=parse_probability, default=MAX_MISSING, metavar="P",
        help="largest fraction of the rows of --labels without a gender or a picture, which are "
        "skipped and reported (default: %(default)s)",
    )  # fmt: skip
    add(
        "--strict", action="store_true",
        help="refuse rows without a gender or a picture, and pictures without a row",
    )  # fmt: skip
    add("--id-column", metavar="NAME",
        help="column of user IDs or file names (default: found by its header)")  # fmt: skip
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


def read_data(
    arguments: argparse.Namespace, split: Split, held_out: float = HELD_OUT_FRACTION
) -> Reading:
    """Reads the labelled pictures that `--data`, `--layout` and the label options specify.

    Args:
        arguments: The options of `add_data_options`.
        split: The split to read.
        held_out: Fraction of the samples in "val", for layouts without splits of their own.

    Returns:
        At least one sample of the split, and the items that were skipped while reading.

    Raises:
        DataError: Labels or pictures are missing or invalid, or the split is empty.
        UsageError: The label options do not match `--layout`.
    """
    return read_data_set(
        arguments.layout,
        arguments.data,
        split,
        _label_options(arguments),
        words=add_words(arguments.female, arguments.male),
        held_out=held_out,
    )


def default_test_split(layout: Layout) -> Split:
    """Returns the split to evaluate on: "val" for FairFace, "all" for other layouts."""
    return "val" if layout == "fairface" else "all"


def training_split(layout: Layout) -> Split:
    """Returns the split to train on: "train" for FairFace, "all" for other layouts.

    Training holds out a fraction of that split for validation.
    """
    return "train" if layout == "fairface" else "all"


def _split_words(text: str) -> tuple[str, ...]:
    """Splits the value of `--female` or `--male` at commas."""
    return tuple(text.split(","))


def _label_options(arguments: argparse.Namespace) -> LabelOptions | None:
    """Returns the options of the label file; None if `--labels` is not given.

    Raises:
        UsageError: `--labels` is not given, but the layout or another label option requires it.
    """
    columns = (arguments.id_column, arguments.gender_column, arguments.zero_is)
    if arguments.labels is not None:
        return LabelOptions(arguments.labels, *columns, arguments.max_missing, arguments.strict)
    if arguments.layout == "user-id":
        raise UsageError("--layout user-id requires --labels")
    if any(option is not None for option in columns):
        raise UsageError("--id-column, --gender-column and --zero-is require --labels")
    return None
