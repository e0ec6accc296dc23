"""Writes the CSV table: one row per picture, with the box of the main face, or one per face."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.outputs import records
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.settings import DEFAULTS, OutputSettings
from image_gender_classifier.outputs.table import open_table
from image_gender_classifier.outputs.xml import format_probability

_START = b"id,file,"  # of every table
# See OWASP, "CSV Injection". Japanese keyboards produce the full-width characters.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def open_output(path: Path, settings: OutputSettings = DEFAULTS) -> Output:
    """Opens a CSV table, writes its header and returns it.

    Args:
        path: Path of the table, or `STANDARD_OUTPUT`.
        settings: What the table has rows for, and whether it begins with a byte order mark.

    Raises:
        OutputError: The file cannot be written.
    """
    list_records = records.list_records(settings.rows)

    def encode(row: Row) -> bytes:
        return b"".join(
            format_row([_format_value(value) for value in record.values()])
            for record in list_records(row.prediction)
        )

    bom = codecs.BOM_UTF8 if settings.csv_bom else b""
    header = bom + format_row(records.COLUMNS[settings.rows])
    return open_table(path, encode, header, start=(_START, codecs.BOM_UTF8 + _START))


def _format_value(value: records.Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return format_probability(value)
    return escape_formula(value) if isinstance(value, str) else str(value)


def escape_formula(text: str) -> str:
    """Prepends an apostrophe to a text that a spreadsheet would evaluate as a formula.

    If the formula already follows apostrophes, one more is prepended, so that readers can always
    remove exactly one.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Returns a text without the apostrophe that `escape_formula` has prepended."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def format_row(values: Sequence[object]) -> bytes:
    """Encodes values as a CSV line (UTF-8, ending with a line feed); None is an empty field."""
    line = io.StringIO()
    # With this line terminator, csv also quotes values that contain a carriage return.
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return (line.getvalue().removesuffix("\r\n") + "\n").encode()
