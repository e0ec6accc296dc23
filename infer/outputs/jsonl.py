"""Writes JSON Lines: one object per picture with its faces, or one per face."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.records import (
    face_records,
    picture_record,
    round_probability,
)
from image_gender_classifier.outputs.settings import DEFAULTS, OutputSettings
from image_gender_classifier.outputs.table import open_table
from image_gender_classifier.outputs.xml import round_box
from image_gender_classifier.results import Box, Face


def open_output(path: Path, settings: OutputSettings = DEFAULTS) -> Output:
    """Opens a JSON Lines table and returns it.

    Args:
        path: Path of the file, or `STANDARD_OUTPUT`.
        settings: What the table has rows for.

    Raises:
        OutputError: The file cannot be written.
    """
    encode = _encode_faces if settings.rows == "faces" else _encode_picture
    return open_table(path, encode, start=(b'{"id": "',))


def _encode_faces(row: Row) -> bytes:
    """Encodes each face of a row as a JSON object in a line of its own."""
    return b"".join(map(_encode_line, face_records(row.prediction)))


def _encode_picture(row: Row) -> bytes:
    """Encodes a row as a JSON object (UTF-8, ending with a line feed)."""
    prediction = row.prediction
    # An object contains its faces instead of their number and the box of one.
    values = {**picture_record(prediction), "faces": list(map(_encode_face, prediction.faces))}
    return _encode_line({name: values[name] for name in prediction.to_dict()})


def _encode_line(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _encode_face(face: Face) -> dict[str, object]:
    values = face.to_dict() | dict(zip(Box._fields, round_box(face), strict=True))
    for name in ("confidence", "p_female", "score"):
        values[name] = round_probability(values[name])
    return values
