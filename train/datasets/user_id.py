"""Reader for pictures named by user ID, with a label file that contains each user's gender.

The name of a sample is the user ID, so the split does not depend on a picture's format or folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from image_gender_classifier.train.datasets.labels_csv import (
    Table,
    check_pictures_exist,
    drop_repeated_rows,
    parse_gender,
    read_table,
)
from image_gender_classifier.train.datasets.listing import list_pictures
from image_gender_classifier.train.datasets.reading import Reading, make_reading, row_error
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample

ID_COLUMNS = frozenset({"id", "uid", "user", "userid"})
GENDER_COLUMNS = frozenset({"gender", "label", "sex"})
OTHER_GENDER: dict[BinaryGender, BinaryGender] = {"female": "male", "male": "female"}


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """The label file and how to interpret it.

    Attributes:
        file: The CSV file.
        id_column: Name of the column of user IDs; None to detect the column by its header.
        gender_column: Name of the column of genders; None to detect the column by its header.
        zero_is: Gender that 0 stands for (1 stands for the other); None to reject 0 and 1.
    """

    file: Path
    id_column: str | None = None
    gender_column: str | None = None
    zero_is: BinaryGender | None = None


def read_user_id_pictures(root: Path, labels: LabelOptions) -> Reading:
    """Reads the pictures named `<user ID>.<extension>` in a folder and its subfolders.

    Skips pictures without a label, and all but the first picture of a user.

    Args:
        root: Folder of the pictures.
        labels: The label file and its columns.

    Returns:
        Samples in the order of the label file; at least one.

    Raises:
        DataError: The label file is missing or invalid, a labelled user has no picture, or the
            folder cannot be read.
    """
    pictures, repeated_pictures = _list_pictures_by_id(root)
    genders, repeated_rows = drop_repeated_rows(
        labels.file, _iterate_genders(read_table(labels.file), labels)
    )
    missing = [(row, user) for user, (row, _) in genders.items() if user not in pictures]
    check_pictures_exist(
        labels.file, [(row, f"{root / user}.<extension>") for row, user in missing], len(genders)
    )
    samples = [Sample(user, root / pictures[user], gender) for user, (_, gender) in genders.items()]
    return make_reading(
        samples,
        {
            "label row repeated": repeated_rows,
            "second picture of a user": repeated_pictures,
            "label missing": [path for user, path in pictures.items() if user not in genders],
        },
    )


def _list_pictures_by_id(root: Path) -> tuple[dict[str, str], list[str]]:
    """Lists the pictures in a folder by user ID.

    Returns:
        A dict from user ID to the path of the user's first picture, and a list of the paths of the
        users' other pictures; paths are relative to `root`.
    """
    pictures: dict[str, str] = {}
    repeated: list[str] = []
    for path in list_pictures(root):
        if pictures.setdefault(_normalise_id(PurePosixPath(path).stem), path) != path:
            repeated.append(path)
    return pictures, repeated


def _normalise_id(user: str) -> str:
    """Returns a user ID in Unicode normal form C (NFC); file names on macOS can be in NFD."""
    return unicodedata.normalize("NFC", user)


def _iterate_genders(
    table: Table, options: LabelOptions
) -> Iterator[tuple[int, str, BinaryGender]]:
    """Yields the row number, user ID and gender of each row.

    Raises:
        DataError: A column is missing or ambiguous, or a field is invalid.
    """
    user_column = _find_column(table, options.id_column, ID_COLUMNS, "--id-column")
    gender_column = _find_column(table, options.gender_column, GENDER_COLUMNS, "--gender-column")
    for row, fields in table.rows:
        user = _normalise_id(fields[user_column])
        if not user or "/" in user or "\\" in user:
            problem = f"user ID is {user!r}, expected the name of a picture without its extension"
            raise row_error(table.path, row, problem)
        yield (
            row,
            user,
            _parse_binary_gender(table.path, row, fields[gender_column], options.zero_is),
        )


def _find_column(table: Table, name: str | None, guesses: frozenset[str], option: str) -> int:
    """Returns the index of a column, by its name or by the usual headers.

    Args:
        table: The label file.
        name: Name of the column; None to detect it.
        guesses: Normalised headers that detect the column.
        option: The command-line option that selects the column, for the error message.

    Raises:
        DataError: No column or several columns match.
    """
    if name is not None:
        return table.column(name)
    found = [
        index for index, title in enumerate(table.header) if _normalise_header(title) in guesses
    ]
    if len(found) != 1:
        problem = (
            f"{'several columns match' if found else 'no column matches'} in the header "
            f"{table.header_text()}; select one with {option}"
        )
        raise row_error(table.path, 1, problem)
    return found[0]


def _normalise_header(title: str) -> str:
    """Returns the letters and digits of a header in lower case: "userid" for "User-ID"."""
    return "".join(filter(str.isalnum, title)).lower()


def _parse_binary_gender(
    path: Path, row: int, value: str, zero_is: BinaryGender | None
) -> BinaryGender:
    """Parses a gender as `parse_gender`; also accepts "0" and "1" if `zero_is` is not None.

    Raises:
        DataError: `value` is not accepted.
    """
    if value in ("0", "1"):
        if zero_is is None:
            problem = f"gender is {value!r}; use --zero-is to state what 0 stands for"
            raise row_error(path, row, problem)
        return zero_is if value == "0" else OTHER_GENDER[zero_is]
    return parse_gender(path, row, value)
