"""Reads `boxes.csv`: the ground-truth bounding box of each picture's face, one row per picture."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from image_gender_classifier.results import Box
from image_gender_classifier.train.datasets.labels_csv import read_table
from image_gender_classifier.train.datasets.reading import row_error

NAME = "boxes.csv"
_NUMBERS = ("x", "y", "width", "height")


def read_true_boxes(folder: Path) -> dict[str, Box]:
    """Reads the ground-truth boxes in a folder's `boxes.csv`.

    The columns are `file`, `x`, `y`, `width` and `height`.

    Returns:
        A dict from file name to box in pixels, in the order of the rows.

    Raises:
        DataError: The file cannot be read or is invalid, or names a picture twice.
    """
    path = folder / NAME
    table = read_table(path)
    file_column = table.column("file")
    columns = [table.column(name) for name in _NUMBERS]
    boxes: dict[str, Box] = {}
    for row, fields in table.rows:
        file = fields[file_column]
        if Path(file).name != file or file == "..":
            raise row_error(path, row, f"file is {file!r}, expected a file name without a folder")
        if file in boxes:
            raise row_error(path, row, f"{file!r} has a box in an earlier row; remove one")
        boxes[file] = _parse_box(path, row, [fields[column] for column in columns])
    return boxes


def _parse_box(path: Path, row: int, fields: list[str]) -> Box:
    """Parses the fields x, y, width and height of a row.

    Raises:
        DataError: A field is not a finite number, or a side is not above 0.
    """
    wrong = f"the box is {', '.join(map(repr, fields))}, expected numbers, width and height above 0"
    try:
        box = Box(*map(float, fields))
    except ValueError:
        raise row_error(path, row, wrong) from None
    finite = all(map(isfinite, (box.x, box.y, box.width, box.height)))
    if not (finite and box.width > 0 and box.height > 0):
        raise row_error(path, row, wrong)
    return box
