"""Reading and writing `corrections.csv`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.corrections import (
    HEADER,
    CorrectedGender,
    Correction,
    encode_row,
    read_corrections,
    write_corrections,
)

COORDINATES = st.integers(-(10**6), 10**6)
SIZES = st.integers(1, 10**6)
CORRECTIONS = st.builds(
    Correction,
    st.sampled_from(get_args(CorrectedGender)),
    st.none() | st.tuples(COORDINATES, COORDINATES, SIZES, SIZES),
    st.just("") | st.from_regex("sha256:[0-9a-f]{16}", fullmatch=True),
)
CHARACTERS = st.characters(exclude_categories=["Cs"])
NAMES = st.binary(min_size=1).map(os.fsdecode) | st.text(
    CHARACTERS | st.sampled_from("=+-@',;\"\t\r\n%\udcff"), min_size=1
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrections") / "corrections.csv"


@given(st.dictionaries(NAMES.filter(lambda name: not name.startswith("./")), CORRECTIONS))
def test_reads_what_it_wrote(path: Path, corrections: dict[str, Correction]) -> None:
    write_corrections(path, corrections)
    assert read_corrections(path) == corrections


def test_rows_are_sorted_and_formulas_escaped(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    write_corrections(path, {"b.jpg": Correction("male"), "=a.jpg": Correction("no_face")})
    assert path.read_text() == (
        "file,gender,x,y,width,height,picture\n'=a.jpg,no_face,,,,,\nb.jpg,male,,,,,\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "file,gender\na.jpg,female\n",
        "gender;note;file\nfemale;seen;a.jpg\n",
        "\ufefffile,gender\r\na.jpg, female \r\n",
        'file,gender\n"a.jpg",female\na.jpg,female\n',
        "File, GENDER\na.jpg,Female\n",
        "file\tgender\tnote\na.jpg\tfemale\tone, two\n",
        "file,gender\n./a.jpg,female\n",
        "file;gender;note\r\n;;\r\na.jpg;female;\r\n; ;\r\n",
    ],
    ids=[
        *("two columns", "semicolons", "byte order mark", "twice the same", "capitals", "tabs"),
        *("dot and slash", "rows that were cleared in a spreadsheet"),
    ],
)
def test_accepts_tables_of_other_programs(text: str, tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_bytes(text.encode())
    assert read_corrections(path) == {"a.jpg": Correction("female")}
    path.write_bytes(text.removeprefix("\ufeff").encode("utf-16"))
    assert read_corrections(path) == {"a.jpg": Correction("female")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no column 'file'"),
        ("file,sex\na.jpg,female\n", "line 1: no column 'gender'"),
        ("file,gender\na.jpg,Woman\n", "line 2: the gender is 'Woman'"),
        ("file,gender\na.jpg,\n", "line 2: the gender is ''"),
        ("file,gender\n,female\n", "line 2: the file is empty"),
        ("file,gender\na.jpg,female\na.jpg,male\n", "line 3: another row has the same file"),
        ("file,gender,x,y,width,height\na.jpg,female,1,2,3,\n", "whole numbers, or all empty"),
        ("file,gender,x,y,width,height\na.jpg,female,1,2,-3,4\n", "a box in pixels"),
        ("file,gender,x,y,width,height\na.jpg,female,1,2,3,nan\n", "whole numbers"),
        ('file,gender,note\na.jpg,female,"seen\nb.jpg,male,\n', "line 2: .* a quotation mark"),
        ("file,gender,Gender\na.jpg,female,male\n", "line 1: two columns 'gender'"),
        ("file,gender,picture\na.jpg,male,image:21bdb04af1c5\n", "line 2: the picture is 'image:"),
    ],
)
def test_names_the_line_of_a_wrong_row(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_corrections(path)
    assert str(path) in str(caught.value)


def test_reports_a_missing_file_and_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_corrections(tmp_path / "missing.csv")
    (tmp_path / "latin.csv").write_bytes("file,gender\né.jpg,male\n".encode("latin-1"))
    with pytest.raises(UsageError, match="UTF-8"):
        read_corrections(tmp_path / "latin.csv")


def test_the_header_names_the_columns_of_a_row() -> None:
    row = encode_row("a,b.jpg", Correction("male", (1, 2, 3, 4), "sha256:0123456789abcdef"))
    assert HEADER == b"file,gender,x,y,width,height,picture\n"
    assert row == b'"a,b.jpg",male,1,2,3,4,sha256:0123456789abcdef\n'


def test_the_first_line_of_excel_names_the_separator(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(b"sep=;\r\nFile;Gender\r\na.jpg;Female\r\n")
    assert read_corrections(path) == {"a.jpg": Correction("female")}


@pytest.mark.parametrize("box", ["0,0,0,9", "0,0,9,0"])
def test_an_empty_box_is_none(box: str, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(f"file,gender,x,y,width,height\na.jpg,male,{box}\n")
    assert read_corrections(path) == {"a.jpg": Correction("male")}
