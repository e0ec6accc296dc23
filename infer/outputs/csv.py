"""The CSV table: one row per picture, with the box of the main face."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.naming import picture_id
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.table import Table

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
            xml.printable(picture_id(prediction.file)),
            xml.printable(prediction.file),
            prediction.gender,
            confidence,
            prediction.status,
            len(prediction.faces),
            *face,
            prediction.run,
            xml.printable(prediction.message or ""),
        )
    )


def _line(values: Sequence[object]) -> bytes:
    line = io.StringIO()
    # With this line end, csv also quotes values that hold a carriage return.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return (line.getvalue().removesuffix("\r\n") + "\n").encode()
