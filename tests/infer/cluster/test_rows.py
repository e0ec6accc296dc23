"""The rows of the output: columns, types and keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from image_gender_classifier.results import Box, Face, Prediction

pytest.importorskip("pyarrow")

from image_gender_classifier.cluster import rows
from image_gender_classifier.outputs.records import COLUMNS

FACE = Face(Box(1.4, 2.6, 30, 40), "lbp", "female", 0.98765, 0.5, 0.98765)
PICTURE = rows.Picture(b"s3://b/sub/a.jpg", b"sub/a.jpg", 123)
PREDICTION = Prediction(
    "sub/a.jpg", "classified", "female", 0.98765, (FACE,), "0123456789ab", None, 0.98765
)


def test_the_columns_are_those_of_the_csv_with_nested_faces() -> None:
    """They are documented, so people depend on names and types."""
    flat = set(COLUMNS["pictures"]) - {"x", "y", "width", "height", "detector", "score", "turn"}
    assert set(rows.SCHEMA.names) == flat | {"path", "size"}
    assert str(rows.SCHEMA.field("faces").type.value_type) == (
        "struct<x: int64, y: int64, width: int64, height: int64, gender: string, "
        "confidence: double, p_female: double, detector: string, score: double, turn: int64>"
    )


def test_the_documentation_lists_the_columns_in_their_order() -> None:
    page = Path(__file__).parents[3] / "docs" / "scaling.md"
    table = page.read_text("utf-8").partition("| column |")[2].partition("\n\n")[0]
    listed = [
        name for row in table.splitlines()[2:] for name in re.findall("`(.*?)`", row.split("|")[1])
    ]
    assert listed == rows.SCHEMA.names


def test_a_prediction_becomes_a_row() -> None:
    table = rows.make_table([rows.make_row(PICTURE, PREDICTION)])
    assert table.schema == rows.SCHEMA
    (row,) = table.to_pylist()
    assert row == {
        "path": "s3://b/sub/a.jpg", "size": 123, "id": "a", "file": "sub/a.jpg",
        "gender": "female", "confidence": 0.988, "p_female": 0.988, "status": "classified",
        "run": "0123456789ab", "message": None,
        "faces": [
            {
                "x": 1, "y": 3, "width": 30, "height": 40, "gender": "female", "confidence": 0.988,
                "p_female": 0.988, "detector": "lbp", "score": 0.5, "turn": 0,
            }
        ],
    }  # fmt: skip


def test_tables_without_rows_have_the_columns() -> None:
    assert rows.make_table([]).schema == rows.SCHEMA
    assert rows.make_pictures_table([]).schema == rows.PICTURES


def test_bytes_and_problems_pass_through_the_table_of_pictures() -> None:
    pictures = [
        rows.Picture(b"/a/\xff.jpg", b"\xff.jpg", 3, b"abc"),
        rows.Picture(b"/a/b.jpg", b"b.jpg", None, problem="gone"),
    ]
    found = rows.make_pictures_table(pictures).to_pylist()
    assert [rows.Picture(**row) for row in found] == pictures
