"""The CSV table: one row per picture, with the box of the main face."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.escaping import name_text, printable
from image_gender_classifier.outputs.naming import picture_id
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.table import Table

# OWASP, "CSV Injection"; full-width signs are those of Japanese keyboards.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")

COLUMNS = (
    *("id", "file", "gender", "confidence", "status", "faces"),
    *("x", "y", "width", "height", "detector", "run", "message"),
)


def open_output(path: Path) -> Table:
    """Opens a CSV table with the header `COLUMNS`."""
    return Table(path, _encode, header=_line(COLUMNS))


def _encode(row: Row) -> bytes:
    prediction = row.prediction
    face: Sequence[object] = ("",) * 5
    if prediction.faces:
        face = (*xml.rounded(prediction.faces[0]), prediction.faces[0].detector)
    confidence = "" if prediction.confidence is None else xml.confidence_text(prediction.confidence)
    return _line(
        (
            _cell(name_text(picture_id(prediction.file))),
            _cell(name_text(prediction.file)),
            prediction.gender,
            confidence,
            prediction.status,
            len(prediction.faces),
            *face,
            prediction.run,
            _cell(printable(prediction.message or "")),
        )
    )


def _cell(text: str) -> str:
    """Puts an apostrophe before a text that a spreadsheet would take for a formula.

    So that readers can take it off again, a text with apostrophes before such a character gets one
    more.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _line(values: Sequence[object]) -> bytes:
    line = io.StringIO()
    # With this line end, csv also quotes values that hold a carriage return.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return (line.getvalue().removesuffix("\r\n") + "\n").encode()
