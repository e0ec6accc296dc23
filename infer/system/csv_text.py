"""Encoding and delimiter of CSV tables that people save in other programs."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence

_DELIMITERS = (",", ";", "\t")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATOR = re.compile("sep=(.)\r?\n")  # first line for Excel; not part of the table


def decode_table(data: bytes) -> str:
    """Returns the text of a table in UTF-8, or in UTF-16 with a byte order mark, without the mark.

    Raises:
        UnicodeDecodeError: The table has another encoding.
    """
    return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")


def find_delimiter(text: str) -> tuple[str, str]:
    """Returns the delimiter of a table, and its text with an empty line instead of "sep=;".

    The delimiter is that of a first line "sep=;", else the one of comma, semicolon and tab that
    splits the header into the most fields, the first if tied.
    """
    above = _SEPARATOR.match(text)
    if above is not None:
        return above[1], "\n" + text[above.end() :]
    return max(_DELIMITERS, key=lambda delimiter: _count_header_fields(text, delimiter)), text


def parse_table(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    """Returns an iterator over the rows of a table; it raises csv.Error for invalid quoting."""
    # Without strict, an unclosed quote would extend to the end of the file.
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _count_header_fields(text: str, delimiter: str) -> int:
    """Returns the number of fields in the first non-empty row; 0 if it is missing or invalid."""
    try:
        return len(next((fields for fields in parse_table(text, delimiter) if fields), []))
    except csv.Error:
        return 0
