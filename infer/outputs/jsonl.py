"""Writes JSON Lines: one object per picture, with the names and values of the XML file."""

from __future__ import annotations

import json
from pathlib import Path

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.escaping import escape_name, escape_text
from image_gender_classifier.outputs.naming import picture_id
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.table import Table
from image_gender_classifier.results import Face


def open_output(path: Path) -> Table:
    """Opens a JSON Lines table and returns it.

    Args:
        path: Path of the file.

    Raises:
        OutputError: The file cannot be written.
    """
    return Table(path, _encode, start=b'{"id": "')


def _encode(row: Row) -> bytes:
    """Encodes a row as a JSON object (UTF-8, ending with a line feed)."""
    prediction = row.prediction
    fields: dict[str, object] = {
        "id": escape_name(picture_id(prediction.file)),
        "file": escape_name(prediction.file),
        "gender": prediction.gender,
        "confidence": _round_probability(prediction.confidence),
        "status": prediction.status,
        "run": prediction.run,
        "message": None if prediction.message is None else escape_text(prediction.message),
        "faces": [_encode_face(face) for face in prediction.faces],
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _encode_face(face: Face) -> dict[str, object]:
    x, y, width, height = xml.round_box(face)
    box = {"x": x, "y": y, "width": width, "height": height}
    classified = {"gender": face.gender, "confidence": _round_probability(face.confidence)}
    return {**box, **classified, "detector": face.detector, "score": _round_probability(face.score)}


def _round_probability(probability: float | None) -> float | None:
    """Rounds a probability to three decimals, as in all outputs; None remains None."""
    return None if probability is None else float(xml.format_probability(probability))
