"""The columns of all tables: the values of the XML, in one flat record per picture or face."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from image_gender_classifier.outputs.escaping import escape_name, escape_text
from image_gender_classifier.outputs.settings import Rows
from image_gender_classifier.outputs.xml import format_probability, round_box
from image_gender_classifier.results import Face, Prediction

Value = str | int | float | None
"""A value of a record; None if it is not known."""

_FIRST = ("id", "file", "gender", "confidence", "p_female", "status")
_FACE = ("x", "y", "width", "height", "detector", "score", "turn")
COLUMNS: Mapping[Rows, tuple[str, ...]] = {
    "pictures": (*_FIRST, "faces", *_FACE, "run", "message"),
    "faces": (*_FIRST, "face", *_FACE, "run", "message"),
}
"""The columns of a table, by what it has rows for."""

Record = dict[str, Value]
"""A row of a table: its values by column."""


def list_records(rows: Rows) -> Callable[[Prediction], list[Record]]:
    """Returns the function that lists the records of a picture, one or one per face."""
    return face_records if rows == "faces" else lambda prediction: [picture_record(prediction)]


def picture_record(prediction: Prediction) -> Record:
    """Returns the record of a picture, with the number of faces and the box of the main one."""
    main = prediction.faces[0] if prediction.faces else None
    return _make_record(prediction, prediction, main, ("faces", len(prediction.faces)))


def face_records(prediction: Prediction) -> list[Record]:
    """Returns a record per face, which are numbered from 1, the main one.

    A picture without faces has one record, without a number.
    """
    if not prediction.faces:
        return [_make_record(prediction, prediction, None, ("face", None))]
    return [
        _make_record(prediction, face, face, ("face", number))
        for number, face in enumerate(prediction.faces, 1)
    ]


def round_probability(probability: float | None) -> float | None:
    """Returns a probability with three decimals, as in all outputs."""
    return None if probability is None else float(format_probability(probability))


def _make_record(
    prediction: Prediction,
    classified: Prediction | Face,
    face: Face | None,
    number: tuple[str, int | None],
) -> Record:
    box: tuple[Value, ...] = (None,) * len(_FACE)
    if face is not None:
        box = (*round_box(face), face.detector, round_probability(face.score), face.turn)
    return {
        "id": escape_name(prediction.id),
        "file": escape_name(prediction.file),
        "gender": classified.gender,
        "confidence": round_probability(classified.confidence),
        "p_female": round_probability(classified.p_female),
        "status": prediction.status,
        number[0]: number[1],
        **dict(zip(_FACE, box, strict=True)),
        "run": prediction.run,
        "message": None if prediction.message is None else escape_text(prediction.message),
    }
