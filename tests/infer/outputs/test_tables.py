"""The CSV and JSON lines tables."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from csv import DictReader
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_prediction import PICTURE, PREDICTION, RUN

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs import csv, jsonl, xml
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.xml_folder import XmlFolder
from image_gender_classifier.results import Box, Face, Prediction

UNREADABLE = Prediction(
    "sub/b,c.png", "unreadable", "unknown", run=RUN, message='It is "no" picture.'
)
PredictionStrategy = st.SearchStrategy[Prediction]
many_files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written_by(open_table: Callable[[Path], Output], path: Path, *predictions: Prediction) -> str:
    table = open_table(path)
    for prediction in predictions:
        table.write(Row(PICTURE, prediction))
    table.close()
    return path.read_bytes().decode("utf-8")


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(DictReader(io.StringIO(text, newline=""), strict=True))


def test_csv_rows(tmp_path: Path) -> None:
    text = written_by(csv.open_output, tmp_path / "t.csv", PREDICTION, UNREADABLE)
    assert text.splitlines() == [
        "id,file,gender,confidence,status,faces,x,y,width,height,detector,run,message",
        f"a,a.jpg,male,0.900,classified,2,1,2,3,4,lbp,{RUN},",
        f'"b,c","sub/b,c.png",unknown,,unreadable,0,,,,,,{RUN},"It is ""no"" picture."',
    ]


def test_json_lines(tmp_path: Path) -> None:
    text = written_by(jsonl.open_output, tmp_path / "t.jsonl", PREDICTION, UNREADABLE)
    first, second = map(json.loads, text.splitlines())
    assert first == {
        "id": "a",
        "file": "a.jpg",
        "gender": "male",
        "confidence": 0.9,
        "status": "classified",
        "run": RUN,
        "message": None,
        "faces": [
            {"x": 1, "y": 2, "width": 3, "height": 4}
            | {"gender": "male", "confidence": 0.9, "detector": "lbp", "score": 0.8},
            {"x": 5, "y": 6, "width": 7, "height": 8}
            | {"gender": None, "confidence": None, "detector": "lbp", "score": None},
        ],
    }
    assert (second["id"], second["file"]) == ("b,c", "sub/b,c.png")
    assert (second["faces"], second["message"]) == ([], 'It is "no" picture.')


@many_files
@given(data=st.data())
def test_any_predictions_come_back_from_csv(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(predictions, max_size=4))
    rows = csv_rows(written_by(csv.open_output, tmp_path / "t.csv", *drawn))
    assert len(rows) == len(drawn)
    for row, prediction in zip(rows, drawn, strict=True):
        read = xml.decode(xml.encode(prediction))  # the XML is what the row must agree with
        assert tuple(row) == csv.COLUMNS
        assert row["file"] == read.file
        assert row["message"] == (read.message or "")
        assert (row["gender"], row["status"], row["run"]) == (read.gender, read.status, read.run)
        assert int(row["faces"]) == len(read.faces)
        assert (float(row["confidence"]) if row["confidence"] else None) == read.confidence
        if read.faces:
            box = Box(*(float(row[name]) for name in ("x", "y", "width", "height")))
            assert (box, row["detector"]) == (read.faces[0].box, read.faces[0].detector)


@many_files
@given(data=st.data())
def test_any_predictions_come_back_from_json_lines(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(predictions, max_size=4))
    lines = written_by(jsonl.open_output, tmp_path / "t.jsonl", *drawn).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(drawn)
    for line, prediction in zip(lines, drawn, strict=True):
        row, read = json.loads(line), xml.decode(xml.encode(prediction))
        faces = tuple(
            Face(
                Box(*(face[name] for name in ("x", "y", "width", "height"))),
                face["detector"],
                face["gender"],
                face["confidence"],
                face["score"],
            )
            for face in row["faces"]
        )
        names = ("file", "status", "gender", "confidence", "run", "message")
        assert Prediction(**{name: row[name] for name in names}, faces=faces) == read


@many_files
@given(data=st.data())
def test_a_kept_prediction_gives_the_same_row(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    prediction = data.draw(predictions)
    kept = xml.decode(xml.encode(prediction))
    for open_table in (csv.open_output, jsonl.open_output):
        path = tmp_path / "t"
        assert written_by(open_table, path, prediction) == written_by(open_table, path, kept)


def test_a_table_replaces_the_earlier_one_only_when_closed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("of an earlier run")
    table = csv.open_output(path)
    table.write(Row(PICTURE, PREDICTION))
    assert path.read_text() == "of an earlier run"
    table.close()
    assert csv_rows(path.read_text())[0]["id"] == "a"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_where_there_is_no_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"t\.csv: cannot be written"):
        csv.open_output(tmp_path / "missing" / "t.csv")


def test_a_table_that_cannot_take_its_name_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table = csv.open_output(path)
    path.mkdir()
    with pytest.raises(OutputError, match=r"t\.csv: cannot be written"):
        table.close()
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_on_a_full_disk_keeps_the_old_one(small_disk: Path) -> None:
    path = small_disk / "t.csv"
    path.write_text("old")
    table = csv.open_output(path)
    with pytest.raises(OutputError, match="No space left"):
        for _ in range(5000):
            table.write(Row(PICTURE, PREDICTION))
    with pytest.raises(OutputError):
        table.close()
    assert path.read_text() == "old"
    assert list(small_disk.iterdir()) == [path]


def test_a_table_in_the_output_folder_survives(out: Path) -> None:
    table = csv.open_output(out / "all.csv")
    XmlFolder(out).write(Row(PICTURE, PREDICTION))
    table.write(Row(PICTURE, PREDICTION))
    table.close()
    assert sorted(path.name for path in out.iterdir()) == ["a.xml", "all.csv"]
