"""Reader for label files: tables as exported by spreadsheet programs.

Error messages name the file and the row number that a spreadsheet shows: the header is row 1, and
empty rows are counted.
"""

from __future__ import annotations

import csv
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from image_gender_classifier.system.csv_text import decode_table, find_delimiter, parse_table
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.datasets.genders import WORDS, find_gender
from image_gender_classifier.train.datasets.reading import DataError, format_count, row_error
from image_gender_classifier.train.datasets.sample import BinaryGender

Label = TypeVar("Label", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Table:
    """The content of a label file.

    Attributes:
        path: The file, for error messages.
        header: Column names, not necessarily unique.
        rows: Row number and fields of each non-empty row below the header; each row has as many
            fields as the header.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: str) -> int:
        """Returns the index of the column with exactly this name.

        Raises:
            DataError: No column has this name, or several columns have it.
        """
        found = self.header.count(name)
        if found != 1:
            raise row_error(
                self.path,
                1,
                f"{found} columns are named {name!r}, expected one; the header is "
                f"{self.header_text()}",
            )
        return self.header.index(name)

    def header_text(self) -> str:
        """Returns the quoted column names, separated by commas, for error messages."""
        return ", ".join(repr(name) for name in self.header)


def read_table(path: Path) -> Table:
    """Reads a CSV file: UTF-8 with or without a byte order mark (BOM), or UTF-16 with one.

    The delimiter (comma, semicolon or tab) is detected from the header, or from a line "sep=;"
    before it. Rows can lack their last fields, and have more if these are empty.

    Returns:
        The header and at least one row; whitespace around fields is stripped.

    Raises:
        DataError: The file cannot be read, is not valid text or CSV, has no rows below the header,
            or has a row with more fields than the header.
    """
    delimiter, text = find_delimiter(_read_text(path))
    records = list(_iterate_rows(path, text, delimiter))
    if not records:
        raise DataError(f"{path}: the label file is empty; expected a header and rows of labels")
    header = records[0][1]
    rows = [(row, _fit_to_header(path, row, fields, len(header))) for row, fields in records[1:]]
    if not rows:
        raise DataError(f"{path}: the label file has no rows below the header; add the labels")
    return Table(path, header, tuple(rows))


def parse_gender(path: Path, row: int, value: str) -> BinaryGender:
    """Parses a gender, such as "female", "Woman" or "f"; see `genders.WORDS`.

    Args:
        path: The label file, for the error message.
        row: Row number, for the error message.
        value: Content of the gender field.

    Raises:
        DataError: `value` is no gender.
    """
    gender = find_gender(value, WORDS)
    if gender is None:
        raise row_error(path, row, f"gender is {value!r}, expected male, female, m or f")
    return gender


def drop_repeated_rows(
    path: Path, labelled: Iterable[tuple[int, str, Label]]
) -> tuple[dict[str, tuple[int, Label]], list[str]]:
    """Drops rows that repeat the name and the label of an earlier row.

    Args:
        path: The label file, for the error message.
        labelled: Row number, name and label of each row.

    Returns:
        A dict from name to row number and label, in file order; and the names of the dropped rows.

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
                path,
                row,
                f"{name!r} has the label {label}, but {first_label} in row {first_row}; remove one",
            )
        repeated.append(name)
    return unique, repeated


def check_pictures_exist(path: Path, missing: Sequence[tuple[int, str]], total: int) -> None:
    """Checks that no labelled picture is missing.

    Args:
        path: The label file, for the error message.
        missing: Row number and picture of each label whose picture is missing.
        total: Number of labelled pictures, including missing ones.

    Raises:
        DataError: `missing` is not empty; the message names the first missing picture.
    """
    if missing:
        row, picture = missing[0]
        raise row_error(
            path,
            row,
            f"{picture} does not exist (missing pictures: {len(missing):,} of {total:,}); "
            "check --data",
        )


def _fit_to_header(path: Path, row: int, fields: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Adds or removes empty fields at the end of a row until it has `count` fields.

    Raises:
        DataError: A field that is not empty would be removed.
    """
    if any(fields[count:]):
        raise row_error(
            path, row, f"{format_count(len(fields), 'field')}, expected {count} as in the header"
        )
    return (*fields, *("",) * (count - len(fields)))[:count]


def _read_text(path: Path) -> str:
    """Reads a text file in UTF-8, or in UTF-16 with a BOM; returns it without the BOM.

    Raises:
        DataError: The file cannot be read, is not valid UTF-8 or UTF-16, or contains a NUL.
    """
    try:
        data = read_document(path)
    except OSError as error:
        raise DataError(
            f"{path}: the label file cannot be read ({error.strerror}); check its path"
        ) from error
    try:
        text = decode_table(data)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise row_error(
            path, row, "the text is not valid UTF-8; save the file as CSV UTF-8"
        ) from error
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise row_error(path, row, "the row contains a NUL character; save the file as CSV UTF-8")
    return text


def _iterate_rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yields the row number (1-based) and the stripped fields of each non-empty row.

    Raises:
        DataError: A row is not valid CSV.
    """
    row = 0
    try:
        for row, fields in enumerate(parse_table(text, delimiter), start=1):
            stripped = tuple(field.strip() for field in fields)
            if any(stripped):
                yield row, stripped
    except csv.Error as error:
        raise row_error(
            path, row + 1, f"the row is not valid CSV ({error}); check its quotes"
        ) from error
