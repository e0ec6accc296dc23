"""Formats predictions as lines of text for a terminal, one per picture or face."""

from __future__ import annotations

import sys

from image_gender_classifier.outputs import records
from image_gender_classifier.outputs.escaping import escape_line
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.settings import OutputSettings
from image_gender_classifier.outputs.standard_output import StandardOutput
from image_gender_classifier.outputs.xml import format_probability


def open_output(settings: OutputSettings) -> StandardOutput:
    """Returns an output that writes lines of text to standard output.

    Args:
        settings: What there is a line for: each picture, or each face.

    Raises:
        OutputError: Standard output is closed.
    """
    list_records = records.list_records(settings.rows)

    def encode(row: Row) -> bytes:
        lines = [format_line(record) + "\n" for record in list_records(row.prediction)]
        return "".join(lines).encode(sys.stdout.encoding, "backslashreplace")

    return StandardOutput(encode)


def format_line(record: records.Record) -> str:
    """Formats a record, such as `a.jpg: female 0.946, face at 105,90 (101x101)`.

    The name is percent-encoded as by `escape_name` and `escape_line`.
    """
    line = f"{record['file']}: {_describe(record)}"
    if record["x"] is not None:
        number = f" {record['face']}" if "face" in record else ""
        line += f", face{number} at {record['x']},{record['y']}"
        line += f" ({record['width']}x{record['height']})"
    faces = record.get("faces")
    if isinstance(faces, int) and faces > 1:
        line += f", {faces} faces"
    return escape_line(line)


def _describe(record: records.Record) -> str:
    """Returns the gender and its confidence, or why there is none."""
    if record["status"] == "unreadable":
        return f"unreadable, {record['message']}"
    p_female, confidence = record["p_female"], record["confidence"]
    if not (isinstance(p_female, float) and isinstance(confidence, float)):
        return "no face" if record["x"] is None else "not classified"
    likelier = "female" if p_female >= 0.5 else "male"
    text = f"{likelier} {format_probability(confidence)}"
    return f"uncertain, {text}" if record["gender"] == "unknown" else text
