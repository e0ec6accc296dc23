"""Lines of text for a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.outputs.escaping import escape_line, escape_name, unescape_name
from image_gender_classifier.outputs.records import list_records
from image_gender_classifier.outputs.settings import Rows
from image_gender_classifier.outputs.text_lines import format_line
from image_gender_classifier.results import Box, Face, Prediction

FACE = Face(Box(80, 64, 120, 118), "lbp", "female", 0.98312, 0.9, 0.98312)
DOUBTFUL = Face(Box(1, 2, 3, 4), "cnn", "unknown", 0.6, 0.9, 0.4)
UNCLASSIFIED = Face(Box(5, 6, 7, 8), "cnn", score=0.8)


def lines(prediction: Prediction, rows: Rows = "pictures") -> list[str]:
    return [format_line(record) for record in list_records(rows)(prediction)]


@pytest.mark.parametrize(
    ("prediction", "line"),
    [
        (
            Prediction("a.jpg", "classified", "female", 0.98312, (FACE,), p_female=0.98312),
            "a.jpg: female 0.983, face at 80,64 (120x118)",
        ),
        (
            Prediction("a.jpg", "uncertain", "unknown", 0.6, (DOUBTFUL, FACE), p_female=0.4),
            "a.jpg: uncertain, male 0.600, face at 1,2 (3x4), 2 faces",
        ),
        (Prediction("a.jpg", "no_face", "unknown"), "a.jpg: no face"),
        (
            Prediction("a.jpg", "unreadable", "unknown", message="it is empty; copy it"),
            "a.jpg: unreadable, it is empty; copy it",
        ),
    ],
)
def test_a_line_says_gender_confidence_and_place(prediction: Prediction, line: str) -> None:
    assert lines(prediction) == [line]


def test_each_face_has_a_line() -> None:
    faces = (FACE, DOUBTFUL, UNCLASSIFIED)
    assert lines(Prediction("a", "classified", "female", 0.98312, faces), "faces") == [
        "a: female 0.983, face 1 at 80,64 (120x118)",
        "a: uncertain, male 0.600, face 2 at 1,2 (3x4)",
        "a: not classified, face 3 at 5,6 (7x8)",
    ]


@given(data=st.data())
def test_no_name_breaks_the_line(
    data: st.DataObject, predictions: st.SearchStrategy[Prediction]
) -> None:
    prediction = data.draw(predictions)
    (line,) = lines(prediction)
    assert line.splitlines() == [line]
    assert not {"Cc", "Cs"} & set(map(unicodedata.category, line))
    name = escape_line(escape_name(prediction.file))
    assert line.startswith(f"{name}: ")
    assert unescape_name(name) == unescape_name(escape_name(prediction.file))


def test_a_name_cannot_change_the_direction_of_the_text() -> None:
    assert lines(Prediction("a\u202egpj.exe", "no_face", "unknown")) == [
        "a%E2%80%AEgpj.exe: no face"
    ]
