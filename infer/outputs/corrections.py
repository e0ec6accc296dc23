"""Reads and writes `corrections.csv`: what a person says about pictures, one row each."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.outputs.csv import escape_formula, format_row, unescape_formula
from image_gender_classifier.outputs.escaping import escape_name, unescape_name
from image_gender_classifier.outputs.picture_content import is_hash
from image_gender_classifier.outputs.xml import MAX_COORDINATE
from image_gender_classifier.system.csv_text import decode_table, find_delimiter
from image_gender_classifier.system.files import read_document

CorrectedGender = Literal["female", "male", "unknown", "no_face"]
"""The gender of the deciding face, or `no_face` if the picture has none."""

COLUMNS = ("file", "gender", "x", "y", "width", "height", "picture")
HEADER = format_row(COLUMNS)
"""The first line of the file."""

_REQUIRED = ("file", "gender")
_PREDICTED = ("status", "run")  # columns of tables of predictions
_BOX = ("x", "y", "width", "height")
_GENDERS = get_args(CorrectedGender)


class Correction(NamedTuple):
    """The correction of a picture by a person.

    Attributes:
        gender: The gender of the deciding face, or `no_face`.
        box: The deciding face: x, y, width and height in whole pixels; None for the main face.
        picture: Hash of what the person saw (`picture_content.content_hash`; by version 0.2.0
            `cache_key.file_hash`); empty if the correction holds for any picture of that name.
    """

    gender: CorrectedGender
    box: tuple[int, int, int, int] | None = None
    picture: str = ""


def read_corrections(path: Path, rewritten: bool = False) -> dict[str, Correction]:
    """Reads a file of corrections.

    Only the columns `file` and `gender` are required. Accepts what other programs write: commas,
    semicolons or tabs, UTF-8, UTF-16 with a byte order mark, capitals, paths that begin with `./`,
    and rows that are empty.

    Args:
        path: The file.
        rewritten: Whether `write_corrections` will replace the file; then columns that it would
            lose are refused.

    Returns:
        The corrections by path of the picture, as `Prediction.file`.

    Raises:
        UsageError: The file cannot be read or a row is wrong; the message names the line.
    """
    delimiter, text = find_delimiter(_read_text(path))
    # Without strict, a quote that is not closed would swallow the rows after it.
    lines = io.StringIO(text.lstrip("\n"), newline="")
    rows = csv.DictReader(lines, delimiter=delimiter, strict=True)
    found: dict[str, Correction] = {}
    try:
        rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
        missing = [name for name in _REQUIRED if name not in rows.fieldnames]
        if missing:
            raise ValueError(f"no column {missing[0]!r}; the first line must name the columns")
        twice = [name for name in COLUMNS if rows.fieldnames.count(name) > 1]
        if twice:
            raise ValueError(f"two columns {twice[0]!r}; remove or rename one of them")
        if set(rows.fieldnames).issuperset(_PREDICTED):
            raise ValueError(
                "a table of predictions, which would all count as reviewed; keep the rows that a "
                "person has checked, and their columns file and gender"
            )
        lost = [name for name in rows.fieldnames if name and name not in COLUMNS]
        if rewritten and lost:
            raise ValueError(
                f"the review would lose the column {lost[0]!r}; copy the columns "
                f"{', '.join(COLUMNS)} to another file, and give that with --corrections"
            )
        for row in rows:
            if not "".join(row[name] or "" for name in rows.fieldnames).strip():
                continue  # cleared in a spreadsheet
            file, correction = _parse_row(row)
            if found.get(file, correction) != correction:
                raise ValueError("another row has the same file; remove one of them")
            found[file] = correction
    except ValueError as error:
        raise UsageError(f"{path}, line {max(rows.line_num, 1)}: {error}") from None
    except csv.Error as error:
        raise UsageError(
            f"{path}, row in line {rows.line_num + 1}: not CSV ({error}); a quotation mark may be "
            "missing"
        ) from None
    return found


def _read_text(path: Path) -> str:
    try:
        return decode_table(read_document(path))  # a pipe could block a review or --watch
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8; save it as CSV in UTF-8") from None


def write_corrections(path: Path, corrections: Mapping[str, Correction]) -> None:
    """Writes a file of corrections atomically, sorted by path of the picture.

    Raises:
        OutputError: The file cannot be written.
    """
    files = sorted(corrections, key=os.fsencode)
    rows = b"".join(encode_row(file, corrections[file]) for file in files)
    write_atomic(path, HEADER + rows)


def encode_row(file: str, correction: Correction) -> bytes:
    """Returns the row of a correction."""
    box = correction.box or ("",) * 4
    name = escape_formula(escape_name(file))
    return format_row((name, correction.gender, *box, correction.picture))


def _parse_row(row: Mapping[str, str | None]) -> tuple[str, Correction]:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    file = unescape_name(unescape_formula(row.get("file") or "")).removeprefix("./")
    if not file:
        raise ValueError("the file is empty")
    if values["gender"].lower() not in _GENDERS:
        raise ValueError(f"the gender is {values['gender']!r}; it must be {', '.join(_GENDERS)}")
    gender = cast(CorrectedGender, values["gender"].lower())
    box = _parse_box([values[name] for name in _BOX])
    if values["picture"] and not is_hash(values["picture"]):
        raise ValueError(
            f"the picture is {values['picture']!r}; it must be as the review wrote it, or empty"
        )
    return file, Correction(gender, box, values["picture"])


def _parse_box(texts: list[str]) -> tuple[int, int, int, int] | None:
    if not any(texts):
        return None
    try:
        x, y, width, height = map(int, texts)
    except ValueError:
        raise ValueError("x, y, width and height must be whole numbers, or all empty") from None
    inside = all(abs(each) < MAX_COORDINATE for each in (x, y))
    if not inside or not all(0 <= each < MAX_COORDINATE for each in (width, height)):
        raise ValueError("x, y, width and height must be a box in pixels")
    if not width or not height:  # it would match no face, not even in the next run
        return None
    return x, y, width, height
