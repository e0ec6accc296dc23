"""The columns of all tables: the values of the XML, in one flat record per picture or face."""

from __future__ import annotations

from image_gender_classifier.outputs.escaping import escape_name, escape_text
from image_gender_classifier.outputs.xml import format_probability, round_box
from image_gender_classifier.results import Face, Prediction

Value = str | int | float | None
"""A value of a record; None if it is not known."""

_FACE_COLUMNS = ("x", "y", "width", "height", "detector", "score")
COLUMNS = (
    *("id", "file", "gender", "confidence", "p_female", "status", "faces"),
    *(*_FACE_COLUMNS, "run", "message"),
)


def picture_record(prediction: Prediction) -> dict[str, Value]:
    """Returns the record of a picture (see `COLUMNS`), with the box of the main face."""
    return {
        "id": escape_name(prediction.id),
        "file": escape_name(prediction.file),
        "gender": prediction.gender,
        "confidence": round_probability(prediction.confidence),
        "p_female": round_probability(prediction.p_female),
        "status": prediction.status,
        "faces": len(prediction.faces),
        **_face_values(prediction.faces[0] if prediction.faces else None),
        "run": prediction.run,
        "message": None if prediction.message is None else escape_text(prediction.message),
    }


def round_probability(probability: float | None) -> float | None:
    """Returns a probability with three decimals, as in all outputs."""
    return None if probability is None else float(format_probability(probability))


def _face_values(face: Face | None) -> dict[str, Value]:
    if face is None:
        return dict.fromkeys(_FACE_COLUMNS)
    values = (*round_box(face), face.detector, round_probability(face.score))
    return dict(zip(_FACE_COLUMNS, values, strict=True))
