from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_gender_classifier.errors import OutputError
from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.atomic import partial_path
from image_gender_classifier.outputs.files import (
    COLUMNS,
    DrawingFolder,
    XmlFolder,
    csv_table,
    jsonl_table,
)
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.results import Box, Face, Prediction

RUN = "0123456789ab"
PICTURE = PictureFile("a.jpg", "a.xml")
PREDICTION = Prediction(
    "a.jpg",
    "classified",
    "male",
    0.9,
    (Face(Box(1, 2, 3, 4), "lbp", "male", 0.9), Face(Box(5, 6, 7, 8), "lbp")),
    run=RUN,
)
UNREADABLE = Prediction(
    "sub/b,c.png", "unreadable", "unknown", run=RUN, message='It is "no" picture.'
)
PredictionStrategy = st.SearchStrategy[Prediction]
many_files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written_by(open_table: Callable[[Path], Any], path: Path, *predictions: Prediction) -> str:
    table = open_table(path)
    for prediction in predictions:
        table.add(prediction)
    table.finish()
    return path.read_bytes().decode("utf-8")


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_a_verdict_is_written_and_found_again(out: Path) -> None:
    folder = XmlFolder(out)
    folder.write(PICTURE, PREDICTION)
    assert (out / "a.xml").read_bytes() == xml.encode(PREDICTION)
    assert XmlFolder(out).earlier(PICTURE, RUN) == PREDICTION


def test_folders_are_mirrored(out: Path) -> None:
    XmlFolder(out).write(PictureFile("x/y/a.jpg", "x/y/a.xml"), PREDICTION)
    assert [str(path.relative_to(out)) for path in out.rglob("*.xml")] == ["x/y/a.xml"]


def test_verdicts_that_no_longer_hold_are_not_kept(out: Path) -> None:
    folder = XmlFolder(out)
    assert folder.earlier(PICTURE, RUN) is None
    folder.write(PICTURE, PREDICTION)
    assert folder.earlier(PICTURE, "f" * 12) is None
    assert folder.earlier(PictureFile("a.png", "a.xml"), RUN) is None  # the same, renamed
    (out / "a.xml").write_bytes(xml.encode(PREDICTION)[:-5])
    assert folder.earlier(PICTURE, RUN) is None


def test_a_verdict_on_an_odd_name_is_kept(out: Path) -> None:
    odd = PictureFile("a\x01\udcff.jpg", "a\x01\udcff.xml")
    folder = XmlFolder(out)
    folder.write(odd, Prediction(odd.file, "no_face", "unknown", run=RUN))
    assert folder.earlier(odd, RUN) is not None


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", b"\xff", b'<?xml version="1.0" encoding="UTF-99"?><image/>']
)
def test_a_foreign_xml_is_not_kept(data: bytes, out: Path) -> None:
    (out / "a.xml").write_bytes(data)
    assert XmlFolder(out).earlier(PICTURE, RUN) is None


def test_an_output_folder_that_vanished_is_not_made_anew(out: Path) -> None:
    folder = XmlFolder(out)
    folder.write(PICTURE, PREDICTION)
    shutil.rmtree(out)
    for picture in (PICTURE, PictureFile("sub/a.jpg", "sub/a.xml")):
        with pytest.raises(OutputError):
            folder.write(picture, PREDICTION)
        with pytest.raises(OutputError):
            XmlFolder(out).write(picture, PREDICTION)
    assert not out.exists()


def test_a_folder_replaced_by_a_file_is_an_output_error(out: Path) -> None:
    folder = XmlFolder(out)
    folder.write(PictureFile("sub/a.jpg", "sub/a.xml"), PREDICTION)
    shutil.rmtree(out / "sub")
    (out / "sub").touch()
    for each in (folder, XmlFolder(out)):
        with pytest.raises(OutputError, match="sub"):
            each.write(PictureFile("sub/a.jpg", "sub/a.xml"), PREDICTION)


def test_a_linked_folder_is_not_entered(out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (out / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link"):
        XmlFolder(out).write(PictureFile("sub/x/a.jpg", "sub/x/a.xml"), PREDICTION)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("left", [b"", bytes(300), xml.encode(PREDICTION)[:-9]])
def test_what_a_power_cut_left_is_not_kept(left: bytes, out: Path) -> None:
    (out / "a.xml").write_bytes(left)
    assert XmlFolder(out).earlier(PICTURE, RUN) is None


def test_a_linked_verdict_is_not_kept(out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.xml").write_bytes(xml.encode(PREDICTION))
    (out / "a.xml").symlink_to(tmp_path / "elsewhere.xml")
    assert XmlFolder(out).earlier(PICTURE, RUN) is None


def test_half_a_copy_is_no_copy(out: Path) -> None:
    folder = DrawingFolder(out)
    folder.write(PICTURE, b"\xff\xd8" + bytes(9000) + b"\xff\xd9", RUN)
    assert folder.shows(PICTURE, RUN)
    path = out / PICTURE.drawing
    for left in (path.read_bytes()[:4096], b""):
        path.write_bytes(left)
        assert not folder.shows(PICTURE, RUN)


def test_leftovers_of_a_killed_run_are_removed(out: Path, ended_process: int) -> None:
    (out / "sub").mkdir()
    leftovers = [folder / f".igc-{ended_process}-0.partial" for folder in (out, out / "sub")]
    for leftover in leftovers:
        leftover.touch()
    XmlFolder(out).write(PictureFile("sub/a.jpg", "sub/a.xml"), PREDICTION)
    assert not any(leftover.exists() for leftover in leftovers)


def test_a_table_in_the_output_folder_survives(out: Path) -> None:
    table = csv_table(out / "all.csv")
    XmlFolder(out).write(PICTURE, PREDICTION)
    table.add(PREDICTION)
    table.finish()
    assert sorted(path.name for path in out.iterdir()) == ["a.xml", "all.csv"]


def test_csv_rows(tmp_path: Path) -> None:
    text = written_by(csv_table, tmp_path / "t.csv", PREDICTION, UNREADABLE)
    assert text.splitlines() == [
        "id,file,gender,confidence,status,faces,x,y,width,height,detector,run,message",
        f"a,a.jpg,male,0.900,classified,2,1,2,3,4,lbp,{RUN},",
        f'"b,c","sub/b,c.png",unknown,,unreadable,0,,,,,,{RUN},"It is ""no"" picture."',
    ]


def test_json_lines(tmp_path: Path) -> None:
    text = written_by(jsonl_table, tmp_path / "t.jsonl", PREDICTION, UNREADABLE)
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
            | {"gender": "male", "confidence": 0.9, "detector": "lbp"},
            {"x": 5, "y": 6, "width": 7, "height": 8}
            | {"gender": None, "confidence": None, "detector": "lbp"},
        ],
    }
    assert (second["id"], second["file"]) == ("b,c", "sub/b,c.png")
    assert (second["faces"], second["message"]) == ([], 'It is "no" picture.')


@many_files
@given(data=st.data())
def test_any_verdicts_come_back_from_csv(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(predictions, max_size=4))
    rows = csv_rows(written_by(csv_table, tmp_path / "t.csv", *drawn))
    assert len(rows) == len(drawn)
    for row, prediction in zip(rows, drawn, strict=True):
        read = xml.decode(xml.encode(prediction))  # the XML is what the row must agree with
        assert tuple(row) == COLUMNS
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
def test_any_verdicts_come_back_from_json_lines(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(predictions, max_size=4))
    lines = written_by(jsonl_table, tmp_path / "t.jsonl", *drawn).split("\n")
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
            )
            for face in row["faces"]
        )
        names = ("file", "status", "gender", "confidence", "run", "message")
        assert Prediction(**{name: row[name] for name in names}, faces=faces) == read


@many_files
@given(data=st.data())
def test_a_kept_verdict_gives_the_row_that_it_gave_at_first(
    predictions: PredictionStrategy, tmp_path: Path, data: st.DataObject
) -> None:
    prediction = data.draw(predictions)
    kept = xml.decode(xml.encode(prediction))
    for open_table in (csv_table, jsonl_table):
        path = tmp_path / "t"
        assert written_by(open_table, path, prediction) == written_by(open_table, path, kept)


def test_a_table_takes_its_name_at_the_end_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("of an earlier run")
    table = csv_table(path)
    table.add(PREDICTION)
    assert path.read_text() == "of an earlier run"
    table.finish()
    assert csv_rows(path.read_text())[0]["id"] == "a"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_where_there_is_no_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"t\.csv: cannot be written"):
        csv_table(tmp_path / "missing" / "t.csv")


def test_a_table_that_cannot_take_its_name_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table = csv_table(path)
    path.mkdir()
    with pytest.raises(OutputError, match=r"t\.csv: cannot be written"):
        table.finish()
    assert not partial_path(path).exists()


def test_a_table_on_a_full_disk_keeps_the_old_one(small_disk: Path) -> None:
    path = small_disk / "t.csv"
    path.write_text("old")
    table = csv_table(path)
    with pytest.raises(OutputError, match="No space left"):
        for _ in range(5000):
            table.add(PREDICTION)
    with pytest.raises(OutputError):
        table.finish()
    assert path.read_text() == "old"
    assert list(small_disk.iterdir()) == [path]
