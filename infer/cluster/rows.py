"""The rows of a Ray data set: pictures to classify, and their predictions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from image_gender_classifier.outputs.escaping import escape_name
from image_gender_classifier.outputs.records import picture_record, round_probability
from image_gender_classifier.outputs.xml import round_box
from image_gender_classifier.results import Face, Prediction

FAILED = "failed"
"""Status of a picture without a prediction: a timeout, too little memory or an internal error."""

KEPT = "kept"
"""Status of a picture whose row of an earlier run is valid; such rows are not written."""

_FACE = pa.struct(
    [
        *((name, pa.int64()) for name in ("x", "y", "width", "height")),
        *(("gender", pa.string()), ("confidence", pa.float64()), ("p_female", pa.float64())),
        *(("detector", pa.string()), ("score", pa.float64()), ("turn", pa.int64())),
    ]
)
SCHEMA = pa.schema(
    [
        *(("path", pa.string()), ("size", pa.int64()), ("id", pa.string()), ("file", pa.string())),
        *(("gender", pa.string()), ("confidence", pa.float64()), ("p_female", pa.float64())),
        *(("status", pa.string()), ("faces", pa.list_(_FACE))),
        *(("run", pa.string()), ("message", pa.string())),
    ]
)
"""The columns of the output."""

PICTURES = pa.schema(
    [
        *(("path", pa.binary()), ("file", pa.binary()), ("size", pa.int64())),
        *(("bytes", pa.large_binary()), ("problem", pa.string()), ("fault", pa.string())),
    ]
)
"""The columns that the readers pass to the classifier; see `Picture`."""

Row = dict[str, Any]
"""A row of the output: its values by column."""


class Picture(NamedTuple):
    """A picture to classify; paths are bytes, as not all are valid UTF-8.

    Attributes:
        path: The whole path or URI.
        file: The path relative to the input.
        size: Size in bytes; None if it is not known.
        bytes: Content of the file; None if there is a problem or a fault.
        problem: Why the file is unreadable.
        fault: Why the file cannot be read at present; the next run tries again.
    """

    path: bytes
    file: bytes
    size: int | None
    bytes: bytes | None = None
    problem: str | None = None
    fault: str | None = None

    @property
    def shown_path(self) -> str:
        """The path in the output, with the characters escaped that text cannot contain."""
        return escape_name(os.fsdecode(self.path))


def make_pictures_table(pictures: Sequence[Picture]) -> pa.Table:
    """Returns the table of pictures for the classifier."""
    columns = zip(*pictures, strict=True) if pictures else [()] * len(PICTURES)
    arrays = [
        pa.array(list(column), field.type) for column, field in zip(columns, PICTURES, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=PICTURES)


def make_row(picture: Picture, prediction: Prediction) -> Row:
    """Returns the row of a picture; the prediction has its path relative to the input."""
    record = picture_record(prediction)
    faces = [_make_face(face) for face in prediction.faces]
    return {**record, "faces": faces, "path": picture.shown_path, "size": picture.size}


def make_failed_row(picture: Picture, message: str | None) -> Row:
    """Returns the row of a picture that could not be classified."""
    return _make_other_row(picture, FAILED, message)


def make_kept_row(picture: Picture, run: str) -> Row:
    """Returns the row for a picture whose row of an earlier run, with this `run`, is valid."""
    return _make_other_row(picture, KEPT, None, run)


def make_table(rows: Sequence[Row]) -> pa.Table:
    """Returns rows as a table with the columns of the output."""
    return pa.Table.from_pylist(list(rows), SCHEMA)


def encode_path(value: object) -> bytes:
    """Returns a value of a column of paths: text, bytes, or numbers; empty if it is missing."""
    if value is None:
        return b""
    return os.fsencode(value if isinstance(value, bytes | str) else str(value))


def is_binary(kind: pa.DataType) -> bool:
    """Returns whether a column of this type can have the contents of files."""
    return kind in (pa.binary(), pa.large_binary(), pa.binary_view())


def _make_other_row(picture: Picture, status: str, message: str | None, run: str = "") -> Row:
    file = os.fsdecode(picture.file)
    prediction = Prediction(file, "unreadable", "unknown", run=run, message=message)
    return {**make_row(picture, prediction), "status": status}


def _make_face(face: Face) -> Row:
    return {
        **dict(zip(("x", "y", "width", "height"), round_box(face), strict=True)),
        "gender": face.gender,
        "confidence": round_probability(face.confidence),
        "p_female": round_probability(face.p_female),
        "detector": face.detector,
        "score": round_probability(face.score),
        "turn": face.turn,
    }
