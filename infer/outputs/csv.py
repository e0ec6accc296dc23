"""Writes the CSV table: one row per picture, with the bounding box of the main face."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.records import COLUMNS, Value, picture_record
from image_gender_classifier.outputs.table import Table
from image_gender_classifier.outputs.xml import format_probability

# See OWASP, "CSV Injection". Japanese keyboards produce the full-width characters.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def open_output(path: Path) -> Table:
    """Opens a CSV table, writes its header and returns it.

    Args:
        path: Path of the table.

    Raises:
        OutputError: The file cannot be written.
    """
    return Table(path, _encode, header=_format_row(COLUMNS))


def _encode(row: Row) -> bytes:
    """Encodes a row as a CSV line; values that do not apply are empty fields."""
    return _format_row([_format_value(value) for value in picture_record(row.prediction).values()])


def _format_value(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return format_probability(value)
    return _escape_formula(value) if isinstance(value, str) else str(value)


def _escape_formula(text: str) -> str:
    """Prepends an apostrophe to a text that a spreadsheet would evaluate as a formula.

    If the formula already follows apostrophes, one more is prepended, so that readers can always
    remove exactly one.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _format_row(values: Sequence[str]) -> bytes:
    """Encodes values as a CSV line (UTF-8, ending with a line feed)."""
    line = io.StringIO()
    # With this line terminator, csv also quotes values that contain a carriage return.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return (line.getvalue().removesuffix("\r\n") + "\n").encode()
