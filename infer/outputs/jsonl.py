"""JSON lines: one object per picture, with the names and values of the XML."""

from __future__ import annotations

import json
from pathlib import Path

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.escaping import name_text, printable
from image_gender_classifier.outputs.naming import picture_id
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.table import Table
from image_gender_classifier.results import Face


def open_output(path: Path) -> Table:
    """Opens a file of JSON lines."""
    return Table(path, _encode)


def _encode(row: Row) -> bytes:
    prediction = row.prediction
    fields: dict[str, object] = {
        "id": name_text(picture_id(prediction.file)),
        "file": name_text(prediction.file),
        "gender": prediction.gender,
        "confidence": _rounded(prediction.confidence),
        "status": prediction.status,
        "run": prediction.run,
        "message": None if prediction.message is None else printable(prediction.message),
        "faces": [_face(face) for face in prediction.faces],
    }
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _face(face: Face) -> dict[str, object]:
    x, y, width, height = xml.rounded(face)
    box = {"x": x, "y": y, "width": width, "height": height}
    classified = {"gender": face.gender, "confidence": _rounded(face.confidence)}
    return {**box, **classified, "detector": face.detector, "score": _rounded(face.score)}


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else float(xml.confidence_text(probability))
