"""Writes the CSV table: one row per picture, with the bounding box of the main face."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.escaping import escape_name, escape_text
from image_gender_classifier.outputs.naming import picture_id
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.table import Table

# See OWASP, "CSV Injection". Japanese keyboards produce the full-width characters.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")

COLUMNS = (
    *("id", "file", "gender", "confidence", "status", "faces"),
    *("x", "y", "width", "height", "detector", "run", "message"),
)


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
    prediction = row.prediction
    face: Sequence[object] = ("",) * 5
    if prediction.faces:
        face = (*xml.round_box(prediction.faces[0]), prediction.faces[0].detector)
    confidence = (
        "" if prediction.confidence is None else xml.format_probability(prediction.confidence)
    )
    return _format_row(
        (
            _escape_formula(escape_name(picture_id(prediction.file))),
            _escape_formula(escape_name(prediction.file)),
            prediction.gender,
            confidence,
            prediction.status,
            len(prediction.faces),
            *face,
            prediction.run,
            _escape_formula(escape_text(prediction.message or "")),
        )
    )


def _escape_formula(text: str) -> str:
    """Prepends an apostrophe to a text that a spreadsheet would evaluate as a formula.

    If the formula already follows apostrophes, one more is prepended, so that readers can always
    remove exactly one.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _format_row(values: Sequence[object]) -> bytes:
    """Encodes values as a CSV line (UTF-8, ending with a line feed); None is an empty field."""
    line = io.StringIO()
    # With this line terminator, csv also quotes values that contain a carriage return.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return (line.getvalue().removesuffix("\r\n") + "\n").encode()
