"""Reader for label files: CSV in the dialects of common spreadsheets.

Errors name file and row as a spreadsheet counts them: the header is row 1, and empty rows count.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.datasets.reading import DataError, row_error
from image_gender_classifier.train.datasets.sample import BinaryGender

DELIMITERS = (",", ";", "\t")
GENDERS: dict[str, BinaryGender] = {"female": "female", "f": "female", "male": "male", "m": "male"}

Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Table:
    """The content of a label file.

    Attributes:
        path: The file, for error messages.
        header: Column names.
        rows: Row number and fields of each row that is not empty; all have the header's length.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: str) -> int:
        """Finds a column by its exact name.

        Raises:
            DataError: The column is missing or ambiguous.
        """
        found = self.header.count(name)
        if found != 1:
            raise row_error(
                self.path,
                1,
                f"expected one column {name!r}, found {found} in the header {self.header_text()}",
            )
        return self.header.index(name)

    def header_text(self) -> str:
        """Formats the header for error messages."""
        return ", ".join(repr(name) for name in self.header)


def read_table(path: Path) -> Table:
    """Reads a CSV file: UTF-8 with or without BOM; comma, semicolon or tab; quoted or not.

    Strips spaces around fields.

    Raises:
        DataError: The file is missing, not a valid CSV, has no rows or rows of different lengths.
    """
    text = _read_text(path)
    records = list(_records(path, text, _delimiter(text)))
    if not records:
        raise DataError(f"{path}: the file is empty, expected a header and rows with labels")
    header = records[0][1]
    for row, fields in records:
        if len(fields) != len(header):
            raise row_error(
                path, row, f"has {len(fields)} fields, expected {len(header)} as in the header"
            )
    if len(records) == 1:
        raise DataError(f"{path}: has a header only, expected rows with labels below it")
    return Table(path, header, tuple(records[1:]))


def gender_of(path: Path, row: int, value: str) -> BinaryGender:
    """Parses a gender: a word or a letter, case-insensitive.

    Raises:
        DataError: The value is neither female nor male.
    """
    gender = GENDERS.get(value.lower())
    if gender is None:
        raise row_error(path, row, f"gender is {value!r}, expected male, female, m or f")
    return gender


def unique_labels(
    path: Path, labelled: Iterable[tuple[int, str, Label]]
) -> tuple[dict[str, tuple[int, Label]], list[str]]:
    """Drops repeated rows.

    Args:
        path: The label file.
        labelled: Row number, name and label of each row.

    Returns:
        Row and label by name, in the order of the file; and the names of the dropped rows.

    Raises:
        DataError: Two rows have the same name but different labels.
    """
    unique: dict[str, tuple[int, Label]] = {}
    repeated: list[str] = []
    for row, name, label in labelled:
        first_row, first_label = unique.setdefault(name, (row, label))
        if first_row == row:
            continue
        if first_label != label:
            raise row_error(
                path, row, f"{name!r} has the label {label}, but {first_label} in row {first_row}"
            )
        repeated.append(name)
    return unique, repeated


def refuse_missing(path: Path, missing: Sequence[tuple[int, str]], total: int) -> None:
    """Raises if a row has no picture, which means a wrong folder or a lost file.

    Args:
        path: The label file.
        missing: Row number and missing picture of each such row.
        total: Number of pictures in the file.

    Raises:
        DataError: A picture is missing; the message names the first.
    """
    if missing:
        row, picture = missing[0]
        raise row_error(
            path,
            row,
            f"there is no picture {picture}; in all {len(missing):,} of {total:,} are missing",
        )


def _read_text(path: Path) -> str:
    try:
        data = read_document(path)
    except OSError as error:
        raise DataError(f"{path}: cannot read the label file: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise row_error(path, row, "is not UTF-8 text; save the file as CSV UTF-8") from error
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise row_error(path, row, "holds a NUL character, expected UTF-8 text")
    return text


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yields row number and fields of each row that is not empty."""
    row = 0
    try:
        for row, fields in enumerate(_parse(text, delimiter), start=1):
            stripped = tuple(field.strip() for field in fields)
            if any(stripped):
                yield row, stripped
    except csv.Error as error:
        raise row_error(path, row + 1, f"cannot be read as CSV: {error}") from error


def _delimiter(text: str) -> str:
    """Chooses the delimiter that splits the header into most fields; a comma if none does."""
    return max(DELIMITERS, key=lambda delimiter: _header_width(text, delimiter))


def _header_width(text: str, delimiter: str) -> int:
    try:
        return len(next((fields for fields in _parse(text, delimiter) if fields), []))
    except csv.Error:
        return 0


def _parse(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    # Without strict, an unclosed quote would absorb the rest of the file.
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
