"""Reads the fields of a row of labels: a gender, the box of a face, the hash of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from image_gender_classifier.outputs.corrections import COLUMNS
from image_gender_classifier.outputs.picture_content import begins_like_hash, is_hash, is_hash_of
from image_gender_classifier.results import Box
from image_gender_classifier.train.datasets.genders import GenderWords, find_gender
from image_gender_classifier.train.datasets.labels_csv import Table
from image_gender_classifier.train.datasets.reading import row_error
from image_gender_classifier.train.datasets.sample import BinaryGender

_OTHER_GENDER: dict[BinaryGender, BinaryGender] = {"female": "male", "male": "female"}
_BOX_COLUMNS = ("x", "y", "width", "height")
_HASH_COLUMN = "picture"


def is_changed(table: Table, row: int, fields: Sequence[str], path: Path) -> bool:
    """Returns whether a row has the hash of a picture, and the file shows another one now.

    In tables of other programs, the column may have something else, such as the name of a picture.

    Raises:
        DataError: The hash is damaged.
        OSError: The file cannot be read.
    """
    if _HASH_COLUMN not in table.header:
        return False
    value = fields[table.header.index(_HASH_COLUMN)]
    if is_hash(value):
        return not is_hash_of(value, path.read_bytes())
    if value and (begins_like_hash(value) or set(COLUMNS) <= set(table.header)):
        raise row_error(
            table.path,
            row,
            f"{_HASH_COLUMN} is {value!r}; it must be as the review wrote it, or empty",
        )
    return False


def parse_box(table: Table, row: int, fields: Sequence[str]) -> Box | None:
    """Returns the box of a row; None if the table has no columns for it, or they are empty.

    Raises:
        DataError: A field is not a number.
    """
    if not set(_BOX_COLUMNS) <= set(table.header):
        return None
    values = [fields[table.header.index(name)] for name in _BOX_COLUMNS]
    if not all(values):
        return None
    try:
        box = Box(*map(float, values))
    except ValueError:
        box = Box(0, 0, 0, 0)
    if not (all(map(isfinite, box)) and box.width > 0 and box.height > 0):
        raise row_error(
            table.path, row, f"the box is {', '.join(values)}; expected x, y, width and height"
        )
    return box


def parse_gender(
    path: Path, row: int, value: str, zero_is: BinaryGender | None, words: GenderWords
) -> BinaryGender | None:
    """Returns the gender of a field: a word, or "0" or "1"; None if it is no gender.

    Raises:
        DataError: The field is "0" or "1", and neither `zero_is` nor `words` has their meaning.
    """
    gender = find_gender(value, words)
    if gender is not None or value not in ("0", "1"):
        return gender
    if zero_is is None:
        raise row_error(path, row, f"gender is {value!r}; use --zero-is to state what 0 stands for")
    return zero_is if value == "0" else _OTHER_GENDER[zero_is]
