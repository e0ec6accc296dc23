"""Encodes and decodes the XML file of a prediction (schema: `image.xsd`).

The same prediction always has the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast, get_args

from image_gender_classifier.outputs.escaping import escape_name, escape_text, unescape_name
from image_gender_classifier.results import Box, Face, Gender, Prediction, Status, Turn

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

MAX_COORDINATE = 10**9
"""Coordinates in files of predictions and corrections are lower."""

_GENDERS, _STATUSES = frozenset(get_args(Gender)), frozenset(get_args(Status))
_TURNS = frozenset(get_args(Turn))
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_Attributes = Mapping[str, str]
_SPECIAL = re.compile('[&<>"\t\n\r]')


def encode_prediction(prediction: Prediction) -> bytes:
    """Encodes a prediction as an XML file (UTF-8, with a final newline).

    Coordinates are rounded to whole pixels and probabilities to three decimals.
    """
    attributes = [
        ("id", escape_name(prediction.id)),
        ("file", escape_name(prediction.file)),
        ("gender", prediction.gender),
        *_probability("confidence", prediction.confidence),
        *_probability("female", prediction.p_female),
        ("status", prediction.status),
        ("run", prediction.run),
    ]
    if prediction.message is not None:
        attributes.append(("message", prediction.message))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    if prediction.faces:
        lines.append(f"<image{_format_attributes(attributes)}>")
        lines += [
            f"  <face{_format_attributes(_face_attributes(face))}/>" for face in prediction.faces
        ]
        lines.append("</image>")
    else:
        lines.append(f"<image{_format_attributes(attributes)}/>")
    return ("\n".join(lines) + "\n").encode("utf-8")


def decode_prediction(data: bytes) -> Prediction:
    """Decodes the XML file of a prediction: the inverse of `encode_prediction`, up to rounding.

    Characters that XML forbids in `message` remain percent-encoded.

    Raises:
        ValueError: The bytes are not a complete XML file of a prediction.
    """
    from xml.parsers.expat import ExpatError  # only --resume needs it

    try:
        image, faces = _parse_elements(data)
        return Prediction(
            file=unescape_name(image["file"]),
            status=_parse_status(image["status"]),
            gender=_parse_gender(image["gender"]),
            confidence=_parse_probability(image.get("confidence")),
            faces=tuple(map(_parse_face, faces)),
            run=image["run"],
            message=image.get("message"),
            p_female=_parse_probability(image.get("female")),
        )
    except (ExpatError, LookupError) as error:  # LookupError: also an unknown encoding
        raise ValueError(f"not the XML file of a prediction: {error}") from None


def create_parser() -> XMLParserType:
    """Returns an expat parser that raises `ValueError` at a document type.

    Its entities could make a small file huge. The text `<!DOCTYPE` differs between encodings.
    """
    from xml.parsers import expat

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type declaration")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    return parser


def round_box(face: Face) -> tuple[int, int, int, int]:
    """Returns a face's bounding box (x, y, width, height) in whole pixels, as in all outputs."""
    box = face.box
    return round(box.x), round(box.y), round(box.width), round(box.height)


def format_probability(probability: float) -> str:
    """Formats a probability, such as a confidence, with three decimals, as in all outputs."""
    return f"{probability:.3f}"


def _face_attributes(face: Face) -> list[tuple[str, str]]:
    x, y, width, height = round_box(face)
    attributes = [("x", str(x)), ("y", str(y)), ("width", str(width)), ("height", str(height))]
    if face.gender is not None:
        attributes.append(("gender", face.gender))
    attributes += [
        *_probability("confidence", face.confidence),
        *_probability("female", face.p_female),
        ("detector", face.detector),
        *_probability("score", face.score),
    ]
    if face.turn:
        attributes.append(("turn", str(face.turn)))
    return attributes


def _probability(name: str, value: float | None) -> list[tuple[str, str]]:
    """Returns the attribute of a probability, if it is known."""
    return [] if value is None else [(name, format_probability(value))]


def _format_attributes(attributes: list[tuple[str, str]]) -> str:
    return "".join([f' {name}="{_escape_attribute(value)}"' for name, value in attributes])


def _escape_attribute(text: str) -> str:
    """Escapes an XML attribute value; tabs and line breaks become character references."""
    if text.replace(".", "").isalnum() and text.isascii():  # nothing to escape
        return text
    return _SPECIAL.sub(lambda match: _ESCAPES[match.group()], escape_text(text))


def _parse_elements(data: bytes) -> tuple[_Attributes, list[_Attributes]]:
    """Returns the attributes of the root, and of each face; with expat, as a tree takes longer.

    Raises:
        ExpatError, LookupError: The bytes are not well-formed XML, or in an unknown encoding.
        ValueError: There is a document type.
    """
    found: list[_Attributes] = []
    path: list[str] = []

    def start(name: str, attributes: _Attributes) -> None:
        path.append(name)
        if len(path) == 1 or (len(path) == 2 and name == "face"):
            found.append(attributes)

    def end(_: str) -> None:
        path.pop()

    parser = create_parser()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    return found[0], found[1:]


def _parse_face(face: _Attributes) -> Face:
    x, y, width, height = (_parse_pixels(face[name]) for name in ("x", "y", "width", "height"))
    gender = face.get("gender")
    return Face(
        box=Box(x, y, width, height),
        detector=face["detector"],
        gender=None if gender is None else _parse_gender(gender),
        confidence=_parse_probability(face.get("confidence")),
        score=_parse_probability(face.get("score")),
        p_female=_parse_probability(face.get("female")),
        turn=_parse_turn(face.get("turn", "0")),
    )


def _parse_pixels(text: str) -> float:
    """Parses a coordinate; raises ValueError if it is none, not finite or absurd."""
    number = float(text)
    if not abs(number) < MAX_COORDINATE:  # false for NaN, too
        raise ValueError(f"{text} is not a number of pixels")
    return number


def _parse_probability(text: str | None) -> float | None:
    """Parses an optional attribute with a probability; None if it is missing.

    Raises:
        ValueError: The text is not a number from 0 to 1.
    """
    if text is None:
        return None
    number = float(text)
    if not 0 <= number <= 1:  # false for NaN, too
        raise ValueError(f"{text} is not a probability (0 to 1)")
    return number


def _parse_turn(text: str) -> Turn:
    if int(text) not in _TURNS:
        raise ValueError(f"unknown turn {text!r}")
    return cast(Turn, int(text))


def _parse_gender(text: str) -> Gender:
    if text not in _GENDERS:
        raise ValueError(f"unknown gender {text!r}")
    return cast(Gender, text)


def _parse_status(text: str) -> Status:
    if text not in _STATUSES:
        raise ValueError(f"unknown status {text!r}")
    return cast(Status, text)
