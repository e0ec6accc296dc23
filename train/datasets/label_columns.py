"""Finds the columns of a label file by their usual headers."""

from __future__ import annotations

from image_gender_classifier.train.datasets.labels_csv import Table
from image_gender_classifier.train.datasets.reading import row_error

ID_COLUMNS = frozenset({"id", "uid", "user", "userid", "file", "filename", "image"})
GENDER_COLUMNS = frozenset({"gender", "label", "sex"})


def find_column(table: Table, name: str | None, guesses: frozenset[str], option: str) -> int:
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
