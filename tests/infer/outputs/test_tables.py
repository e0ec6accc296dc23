"""The CSV and JSON Lines tables."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from csv import DictReader
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_prediction import PICTURE, PREDICTION, RUN

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs import csv, jsonl, xml
from image_gender_classifier.outputs.escaping import escape_name
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.records import COLUMNS
from image_gender_classifier.outputs.settings import OutputSettings
from image_gender_classifier.outputs.table import Table
from image_gender_classifier.outputs.xml_folder import XmlFolder
from image_gender_classifier.results import Box, Face, Prediction

UNREADABLE = Prediction(
    "sub/b,c.png", "unreadable", "unknown", run=RUN, message='It is "no" picture.'
)
UNCERTAIN = replace(PREDICTION, status="uncertain", gender="unknown")
PredictionStrategy = st.SearchStrategy[Prediction]
many_files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_table(open_table: Callable[[Path], Output], path: Path, *predictions: Prediction) -> str:
    table = open_table(path)
    for prediction in predictions:
        table.write(Row(PICTURE, prediction))
    table.close()
    return path.read_bytes().decode("utf-8")


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(DictReader(io.StringIO(text, newline=""), strict=True))


def unescape_cell(cell: str) -> str:
    """Returns the text of a cell, as docs/xml.md documents it."""
    return re.sub(r"^'(?='*[=+\-@\t\r\n＝＋－＠])", "", cell)


@pytest.mark.parametrize("start", "=+-@\t\r\n＝＋－＠")
def test_a_name_is_never_a_spreadsheet_formula(start: str, tmp_path: Path) -> None:
    name = f"{start}cmd|' .C calc'!A0.jpg"
    given_names = [name, f"'{name}", f"''{name}", "'quoted'.jpg", f"sub/{name}", "x.jpg"]
    predictions = [replace(UNREADABLE, file=file, message=f"{start}1") for file in given_names]
    rows = csv_rows(write_table(csv.open_output, tmp_path / "t.csv", *predictions))
    assert [row["file"][0] for row in rows] == ["'", "'", "'", "'", "s", "x"]
    assert {row["id"][0] for row in rows} == {"'", "x"}
    assert {row["message"] for row in rows} == {f"'{start}1"}
    assert [unescape_cell(row["file"]) for row in rows] == given_names
    assert [rows[3]["file"], rows[3]["id"]] == ["'quoted'.jpg", "'quoted'"]


def test_numbers_are_not_escaped(tmp_path: Path) -> None:
    face = Face(Box(-3, -4, 5, 6), "lbp", "male", 0.9)
    prediction = replace(PREDICTION, faces=(face,))
    (row,) = csv_rows(write_table(csv.open_output, tmp_path / "t.csv", prediction))
    assert (row["x"], row["y"], row["confidence"]) == ("-3", "-4", "0.900")


@pytest.mark.parametrize("open_table", [csv.open_output, jsonl.open_output])
def test_an_abandoned_table_keeps_its_rows_and_the_existing_table(
    open_table: Callable[[Path], Output], tmp_path: Path
) -> None:
    path = tmp_path / "t"
    whole = write_table(open_table, path, PREDICTION, UNREADABLE)
    table = open_table(path)
    table.write(Row(PICTURE, PREDICTION))
    kept = table.abandon()
    assert path.read_text() == whole
    assert kept == tmp_path / "t.partial"
    assert whole.startswith(kept.read_text()) and "a.jpg" in kept.read_text()
    assert sorted(tmp_path.iterdir()) == [path, kept]
    assert write_table(open_table, path, PREDICTION, UNREADABLE) == whole
    # The complete table contains the rows of the interrupted one.
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("open_table", [csv.open_output, jsonl.open_output])
@pytest.mark.parametrize(
    "data", [b"", b"half of a download", b"id,file\na,b\n", b"{}", b"<!DOCTYPE"]
)
def test_a_foreign_file_of_the_name_of_an_abandoned_table_is_kept(
    open_table: Callable[[Path], Output], data: bytes, tmp_path: Path
) -> None:
    path, foreign = tmp_path / "t", tmp_path / "t.partial"
    foreign.write_bytes(data)
    write_table(open_table, path, PREDICTION)
    assert foreign.read_bytes() == data
    for _ in range(2):
        table = open_table(path)
        table.write(Row(PICTURE, UNCERTAIN))
        assert table.abandon() == tmp_path / "t.partial.partial"
        assert foreign.read_bytes() == data
    assert sorted(tmp_path.iterdir()) == [path, foreign, tmp_path / "t.partial.partial"]
    write_table(open_table, path, PREDICTION)
    assert sorted(tmp_path.iterdir()) == [path, foreign]


@pytest.mark.parametrize("open_table", [csv.open_output, jsonl.open_output])
def test_the_rows_of_an_earlier_interrupted_run_are_replaced_and_removed(
    open_table: Callable[[Path], Output], tmp_path: Path
) -> None:
    path = tmp_path / "t"
    for _ in range(2):
        table = open_table(path)
        table.write(Row(PICTURE, UNCERTAIN))
        assert table.abandon() == tmp_path / "t.partial"
    write_table(open_table, path, PREDICTION)
    assert list(tmp_path.iterdir()) == [path]


def test_an_abandoned_table_without_rows_leaves_no_file(tmp_path: Path) -> None:
    assert csv.open_output(tmp_path / "t.csv").abandon() is None
    assert list(tmp_path.iterdir()) == []


def fill_disk_with_rows(disk: Path) -> tuple[Path, Output]:
    """Returns the path of an existing file, and the table that could not replace it."""
    path = disk / "t.csv"
    path.write_text("old")
    table = csv.open_output(path)
    with pytest.raises(OutputError, match="No space left"):
        for _ in range(5000):
            table.write(Row(PICTURE, PREDICTION))
    return path, table


def test_a_table_abandoned_on_a_full_disk_keeps_the_existing_one(small_disk: Path) -> None:
    path, table = fill_disk_with_rows(small_disk)
    assert table.abandon() is None
    assert path.read_text() == "old"
    assert list(small_disk.iterdir()) == [path]


def test_csv_rows(tmp_path: Path) -> None:
    text = write_table(csv.open_output, tmp_path / "t.csv", PREDICTION, UNREADABLE)
    assert text.splitlines() == [
        "id,file,gender,confidence,p_female,status,faces,x,y,width,height,detector,score,turn,run,message",
        f"a,a.jpg,male,0.900,0.100,classified,2,1,2,3,4,lbp,0.800,0,{RUN},",
        f'"b,c","sub/b,c.png",unknown,,,unreadable,0,,,,,,,,{RUN},"It is ""no"" picture."',
    ]


def test_json_lines(tmp_path: Path) -> None:
    text = write_table(jsonl.open_output, tmp_path / "t.jsonl", PREDICTION, UNREADABLE)
    first, second = map(json.loads, text.splitlines())
    assert first == {
        "id": "a",
        "file": "a.jpg",
        "gender": "male",
        "confidence": 0.9,
        "p_female": 0.1,
        "status": "classified",
        "run": RUN,
        "message": None,
        "faces": [
            {"x": 1, "y": 2, "width": 3, "height": 4}
            | {"gender": "male", "confidence": 0.9, "p_female": 0.1}
            | {"detector": "lbp", "score": 0.8, "turn": 0},
            {"x": 5, "y": 6, "width": 7, "height": 8}
            | {"gender": None, "confidence": None, "p_female": None}
            | {"detector": "lbp", "score": None, "turn": 0},
        ],
    }
    assert (second["id"], second["file"]) == ("b,c", "sub/b,c.png")
    assert (second["faces"], second["message"]) == ([], 'It is "no" picture.')


def test_a_row_per_face(tmp_path: Path) -> None:
    faces = OutputSettings(rows="faces")
    table = write_table(
        partial(csv.open_output, settings=faces), tmp_path / "t.csv", PREDICTION, UNREADABLE
    )
    assert table.splitlines() == [
        "id,file,gender,confidence,p_female,status,face,x,y,width,height,detector,score,turn,run,message",
        f"a,a.jpg,male,0.900,0.100,classified,1,1,2,3,4,lbp,0.800,0,{RUN},",
        f"a,a.jpg,,,,classified,2,5,6,7,8,lbp,,0,{RUN},",
        f'"b,c","sub/b,c.png",unknown,,,unreadable,,,,,,,,,{RUN},"It is ""no"" picture."',
    ]
    lines = write_table(
        partial(jsonl.open_output, settings=faces), tmp_path / "t.jsonl", PREDICTION, UNREADABLE
    )
    objects = [json.loads(line) for line in lines.splitlines()]
    assert [list(each) for each in objects] == [table.splitlines()[0].split(",")] * 3
    assert [each["face"] for each in objects] == [1, 2, None]
    assert [each["gender"] for each in objects] == ["male", None, "unknown"]
    assert (objects[0]["p_female"], objects[0]["score"], objects[0]["x"]) == (0.1, 0.8, 1)


def test_a_byte_order_mark_precedes_the_header(tmp_path: Path) -> None:
    plain = write_table(csv.open_output, tmp_path / "t.csv", PREDICTION)
    settings = OutputSettings(csv_bom=True)
    marked = write_table(
        partial(csv.open_output, settings=settings), tmp_path / "t.csv", PREDICTION
    )
    assert marked == f"\ufeff{plain}"


def test_a_table_with_other_settings_removes_the_rows_of_an_interrupted_run(tmp_path: Path) -> None:
    table = csv.open_output(tmp_path / "t.csv", OutputSettings(csv_bom=True, rows="faces"))
    table.write(Row(PICTURE, PREDICTION))
    assert table.abandon() == tmp_path / "t.csv.partial"
    write_table(csv.open_output, tmp_path / "t.csv", PREDICTION)
    assert list(tmp_path.iterdir()) == [tmp_path / "t.csv"]


@many_files
@given(data=st.data())
def test_csv_rows_have_the_values_of_the_xml(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(predictions, max_size=4))
    rows = csv_rows(write_table(csv.open_output, tmp_path / "t.csv", *drawn))
    assert len(rows) == len(drawn)
    for row, prediction in zip(rows, drawn, strict=True):
        # The row must agree with the XML.
        read = xml.decode_prediction(xml.encode_prediction(prediction))
        assert tuple(row) == COLUMNS["pictures"]
        assert unescape_cell(row["file"]) == escape_name(read.file)
        assert unescape_cell(row["id"]) == escape_name(read.id)
        assert unescape_cell(row["message"]) == (read.message or "")
        assert (row["gender"], row["status"], row["run"]) == (read.gender, read.status, read.run)
        assert int(row["faces"]) == len(read.faces)
        assert (float(row["confidence"]) if row["confidence"] else None) == read.confidence
        assert (float(row["p_female"]) if row["p_female"] else None) == read.p_female
        if read.faces:
            box = Box(*(float(row[name]) for name in ("x", "y", "width", "height")))
            assert (box, row["detector"]) == (read.faces[0].box, read.faces[0].detector)


@many_files
@given(data=st.data())
def test_json_lines_have_the_values_of_the_xml(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(predictions, max_size=4))
    lines = write_table(jsonl.open_output, tmp_path / "t.jsonl", *drawn).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(drawn)
    for line, prediction in zip(lines, drawn, strict=True):
        row, read = json.loads(line), xml.decode_prediction(xml.encode_prediction(prediction))
        faces = tuple(
            Face(
                Box(*(face[name] for name in ("x", "y", "width", "height"))),
                face["detector"],
                face["gender"],
                face["confidence"],
                face["score"],
                face["p_female"],
                face["turn"],
            )
            for face in row["faces"]
        )
        assert row["file"] == escape_name(read.file)
        row["file"] = read.file
        names = ("file", "status", "gender", "confidence", "run", "message", "p_female")
        assert Prediction(**{name: row[name] for name in names}, faces=faces) == read


@many_files
@given(data=st.data())
def test_a_kept_prediction_has_the_same_row(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    prediction = data.draw(predictions)
    kept = xml.decode_prediction(xml.encode_prediction(prediction))
    for open_table in (csv.open_output, jsonl.open_output):
        path = tmp_path / "t"
        assert write_table(open_table, path, prediction) == write_table(open_table, path, kept)


def test_a_table_replaces_the_existing_one_only_on_close(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("of an earlier run")
    table = csv.open_output(path)
    table.write(Row(PICTURE, PREDICTION))
    assert path.read_text() == "of an earlier run"
    table.close()
    assert csv_rows(path.read_text())[0]["id"] == "a"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_in_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"t\.csv: cannot be written"):
        csv.open_output(tmp_path / "missing" / "t.csv")


def test_a_table_without_one_of_its_rows_is_not_completed(tmp_path: Path) -> None:
    def encode(_: Row) -> bytes:
        raise OSError("an error without a number")

    table = Table(tmp_path / "t", encode)
    with pytest.raises(OutputError, match="an error without a number"):
        table.write(Row(PICTURE, PREDICTION))
    with pytest.raises(OutputError, match="an error without a number"):
        table.close()
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_renamed_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table = csv.open_output(path)
    path.mkdir()
    with pytest.raises(OutputError, match=r"t\.csv: cannot be written"):
        table.close()
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_on_a_full_disk_keeps_the_existing_one(small_disk: Path) -> None:
    path, table = fill_disk_with_rows(small_disk)
    with pytest.raises(OutputError):
        table.close()
    assert path.read_text() == "old"
    assert list(small_disk.iterdir()) == [path]


def test_a_table_in_the_output_folder_is_not_removed(out: Path) -> None:
    table = csv.open_output(out / "all.csv")
    XmlFolder(out).write(Row(PICTURE, PREDICTION))
    table.write(Row(PICTURE, PREDICTION))
    table.close()
    assert sorted(path.name for path in out.iterdir()) == ["a.xml", "all.csv"]
