"""Label files come from spreadsheets of any country, and damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_gender_classifier.train.datasets.labels_csv import (
    Table,
    drop_repeated_rows,
    parse_gender,
    read_table,
)
from image_gender_classifier.train.datasets.reading import DataError


def table_of(folder: Path, content: str | bytes) -> Table:
    path = folder / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_newlines_and_byte_order_marks_are_detected(
    tmp_path: Path, delimiter: str, mark: str, newline: str
) -> None:
    lines = [["id", "gender"], ["1", '"f, or; so"'], [" 2 ", "m"]]
    table = table_of(tmp_path, mark + newline.join(delimiter.join(line) for line in lines))
    assert table.header == ("id", "gender")
    assert table.rows == ((2, ("1", "f, or; so")), (3, ("2", "m")))


def test_a_quoted_header_does_not_hide_the_delimiter(tmp_path: Path) -> None:
    assert table_of(tmp_path, '"id, or so";gender\n1;f\n').header == ("id, or so", "gender")


def test_empty_rows_are_skipped_but_counted(tmp_path: Path) -> None:
    assert table_of(tmp_path, "a,b\n\n1,2\n,\n3,4\n\n").rows == ((3, ("1", "2")), (5, ("3", "4")))


def test_a_quoted_field_may_contain_a_line_break(tmp_path: Path) -> None:
    assert table_of(tmp_path, 'a,b\n"1\n2",3\n4,5\n').rows[1] == (3, ("4", "5"))


def test_exports_of_excel_are_read(tmp_path: Path) -> None:
    expected = ((2, ("1", "Frau Ä")), (3, ("2", "")))
    unicode_text = "\ufeffid\tgender\r\n1\tFrau Ä\r\n2\r\n".encode("utf-16-le")
    assert table_of(tmp_path, unicode_text).rows == expected
    for delimiter in ";|":
        lines = (f"sep={delimiter}", f"id{delimiter}gender", f"1{delimiter}Frau Ä{delimiter}", "2")
        table = table_of(tmp_path, "\ufeff" + "\r\n".join(lines))
        assert table.header == ("id", "gender")
        assert [fields for _, fields in table.rows] == [fields for _, fields in expected]
        assert [row for row, _ in table.rows] == [3, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the label file is empty"),
        ("\n\n , \n", "the label file is empty"),
        ("id,gender\n", "no rows below the header"),
        ("id,gender\n1,f\n1,f,3\n", "row 3: 3 fields, expected 2"),
        ('id,gender\n1,f\n2,"m\n3,f\n', "row 3: the row is not valid CSV"),
        ('id,gender\n"1"x,f\n', "row 2: the row is not valid CSV"),
        ("id,gender\n1,f\n2,\0\n", "row 3: the row contains a NUL"),
        (b"id,gender\n1,f\n\xe9,f\n", "row 3: the text is not valid UTF-8"),
        ("id,gender\n1,f\n".encode("utf-16-le"), "row 1: the row contains a NUL"),
        ("id,gender\n" + "x" * 200_000 + ",f\n", "row 2: the row is not valid CSV"),
    ],
)
def test_an_error_names_file_and_row(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        table_of(tmp_path, content)
    assert "labels.csv" in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError, match=path.name):
            read_table(path)


@pytest.mark.parametrize("header", ["id,x", "gender,gender"])
def test_a_column_name_must_be_unique(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError, match=r"row 1: [02] columns are named 'gender'"):
        table_of(tmp_path, f"{header}\n1,2\n").column("gender")


@pytest.mark.parametrize(
    ("value", "gender"), [("Woman", "female"), ("W", "female"), (" m ", "male"), ("Men", "male")]
)
def test_gender_words_are_recognised(value: str, gender: str) -> None:
    assert parse_gender(Path("labels.csv"), 7, value) == gender


@pytest.mark.parametrize("value", ["", "x", "0", "weiblich", "mm"])
def test_other_gender_words_are_refused(value: str) -> None:
    with pytest.raises(DataError, match=f"row 7: gender is '{value}', expected male, female"):
        parse_gender(Path("labels.csv"), 7, value)


def test_repeated_rows_are_dropped_and_contradictions_refused() -> None:
    path = Path("labels.csv")
    unique, repeated = drop_repeated_rows(path, [(2, "a", "f"), (3, "b", "m"), (4, "a", "f")])
    assert unique == {"a": (2, "f"), "b": (3, "m")}
    assert repeated == ["a"]
    with pytest.raises(DataError, match="row 4: 'a' has the label m, but f in row 2"):
        drop_repeated_rows(path, [(2, "a", "f"), (3, "b", "m"), (4, "a", "m")])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(), st.text(st.sampled_from('a1,;\t"\r\n\0 \ufeff')).map(str.encode)))
def test_any_bytes_give_a_table_or_a_data_error(tmp_path: Path, content: bytes) -> None:
    try:
        table = table_of(tmp_path, content)
    except DataError:
        return
    assert table.rows
    assert all(len(fields) == len(table.header) for _, fields in table.rows)


def test_a_pipe_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(DataError, match="not a regular file"):
        read_table(tmp_path / "labels.csv")
