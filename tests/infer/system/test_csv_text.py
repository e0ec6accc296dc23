"""Encoding and delimiter of tables."""

from __future__ import annotations

import pytest

from image_gender_classifier.system.csv_text import decode_table, find_delimiter


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_other_programs_are_decoded(encoding: str) -> None:
    assert decode_table("file,Größe\n".encode(encoding)) == "file,Größe\n"


def test_other_encodings_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_table("Größe".encode("latin-1"))


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("file,gender\n", ","),
        ("file;gender\n", ";"),
        ("file\tgender\n", "\t"),
        ("\nfile;gender\n", ";"),
        ("sep=;\nfile;gender,x,y\n", ";"),
        ("file\n", ","),
        ("", ","),
    ],
)
def test_the_delimiter_splits_the_header(text: str, delimiter: str) -> None:
    found, rest = find_delimiter(text)
    assert found == delimiter
    assert rest.count("\n") == text.count("\n")
