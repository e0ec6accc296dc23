"""Writes JSON Lines: one object per picture, with the names and values of the XML file."""

from __future__ import annotations

import json
from pathlib import Path

from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.records import picture_record, round_probability
from image_gender_classifier.outputs.table import Table
from image_gender_classifier.outputs.xml import round_box
from image_gender_classifier.results import Box, Face


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
    # An object contains its faces instead of their number and the box of one.
    values = {**picture_record(prediction), "faces": list(map(_encode_face, prediction.faces))}
    fields = {name: values[name] for name in prediction.to_dict()}
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _encode_face(face: Face) -> dict[str, object]:
    values = face.to_dict() | dict(zip(Box._fields, round_box(face), strict=True))
    for name in ("confidence", "p_female", "score"):
        values[name] = round_probability(values[name])
    return values
