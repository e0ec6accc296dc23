"""Reader for a folder of pictures and a label file with a row per user or per picture.

A row names its picture by the user ID, which is the file name without its extension, or by the path
below the folder. The corrections of `image-gender-review` are such a file: they also hold the box
of the face that the label is about, and a hash of the picture.

The name of a sample is the user ID if the picture can be identified by it, so the split depends
neither on the format of a picture nor on the way in which a label file names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.results import Box
from image_gender_classifier.train.datasets.genders import (
    REVIEWED_WITHOUT_GENDER,
    WORDS,
    GenderWords,
    is_given,
)
from image_gender_classifier.train.datasets.label_columns import (
    GENDER_COLUMNS,
    ID_COLUMNS,
    find_column,
)
from image_gender_classifier.train.datasets.label_fields import (
    is_changed,
    parse_box,
    parse_gender,
)
from image_gender_classifier.train.datasets.labels_csv import (
    Table,
    drop_repeated_rows,
    read_table,
)
from image_gender_classifier.train.datasets.listing import is_picture_name
from image_gender_classifier.train.datasets.named_pictures import NamedPictures
from image_gender_classifier.train.datasets.reading import (
    DataError,
    Reading,
    make_reading,
    row_error,
)
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample

MAX_MISSING = 0.1


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """The label file and how to interpret it.

    Attributes:
        file: The CSV file.
        id_column: Name of the column of user IDs or pictures; None to detect it by its header.
        gender_column: Name of the column of genders; None to detect the column by its header.
        zero_is: Gender that 0 stands for (1 stands for the other); None to reject 0 and 1.
        max_missing: Largest fraction of rows without a usable label or without a picture.
        strict: Whether to reject any such row, and pictures without a label.
    """

    file: Path
    id_column: str | None = None
    gender_column: str | None = None
    zero_is: BinaryGender | None = None
    max_missing: float = MAX_MISSING
    strict: bool = False


class _Label(NamedTuple):
    """The label of a picture.

    Attributes:
        gender: The gender.
        box: Box of the face, in pixels of the upright picture; None for the main face.
    """

    gender: BinaryGender
    box: Box | None

    def __str__(self) -> str:
        return self.gender if self.box is None else f"{self.gender} at {self.box}"


@dataclass(slots=True)
class _Gaps:
    """Rows that were skipped; `add` counts those that should not be there.

    Attributes:
        names: Names of the skipped rows by reason.
        named: Paths of all pictures that rows name, also rows that are not skipped; can contain
            None.
        reviewed: Paths of the pictures that a person reviewed without finding a gender.
        count: Number of rows without a usable label or without a picture.
        first: Row number and problem of the first of them.
    """

    names: dict[str, list[str]] = field(default_factory=dict)
    named: set[str | None] = field(default_factory=set)
    reviewed: set[str] = field(default_factory=set)
    count: int = 0
    first: tuple[int, str] = (0, "")

    def add(self, reason: str, row: int, name: str, problem: str) -> None:
        """Adds a row; the message about too many of them begins with the first one's problem."""
        self.names.setdefault(reason, []).append(f"{name} in row {row}".strip())
        self.first = self.first if self.count else (row, problem)
        self.count += 1


def read_user_id_pictures(root: Path, labels: LabelOptions, words: GenderWords = WORDS) -> Reading:
    """Reads the labelled pictures in a folder and its subfolders.

    Skips pictures without a label, rows without a label or picture, and all but the first picture
    of a user, unless the label file names it by its path.

    Args:
        root: Folder of the pictures.
        labels: The label file and its columns.
        words: Words for the genders.

    Returns:
        Samples in the order of the label file; at least one.

    Raises:
        DataError: The label file is missing or invalid, too many rows have no label or no picture,
            or the folder cannot be read.
    """
    pictures = NamedPictures(root)
    table = read_table(labels.file)
    gaps = _Gaps()
    labelled, repeated_rows = drop_repeated_rows(
        labels.file, _iterate_labels(table, labels, words, pictures, gaps)
    )
    unlabelled = [path for path in pictures.paths if path not in gaps.named]
    _check_gaps(labels, gaps, len(table.rows), unlabelled)
    if not labelled:
        raise DataError(f"{labels.file}: no row has both a gender and a picture in {root}")
    samples = [
        Sample(pictures.name(path), root / path, label.gender, box=label.box)
        for path, (_, label) in labelled.items()
    ]
    return make_reading(
        samples,
        {
            **gaps.names,
            "label row repeated": repeated_rows,
            "reviewed as unknown or no face": sorted(gaps.reviewed),
            "second picture of a user": [path for path in unlabelled if pictures.is_second(path)],
            "label missing": [path for path in unlabelled if not pictures.is_second(path)],
        },
    )


def _iterate_labels(
    table: Table, options: LabelOptions, words: GenderWords, pictures: NamedPictures, gaps: _Gaps
) -> Iterator[tuple[int, str, _Label]]:
    """Yields the row number, the path of the picture and the label of each usable row.

    Adds the other rows to `gaps`.

    Raises:
        DataError: A column is missing or ambiguous, a box or a hash is invalid, or a gender is 0 or
            1 and nothing says what they stand for.
    """
    key_column = find_column(table, options.id_column, ID_COLUMNS, "--id-column")
    gender_column = find_column(table, options.gender_column, GENDER_COLUMNS, "--gender-column")
    for row, fields in table.rows:
        key, value = fields[key_column], fields[gender_column]
        path = pictures.find(key) if key else None
        gaps.named.add(path)
        gender = parse_gender(table.path, row, value, options.zero_is, words)
        if not key:
            gaps.add("row without a user ID", row, "", "the user ID is empty")
        elif gender is None and path is not None and value.lower() in REVIEWED_WITHOUT_GENDER:
            gaps.reviewed.add(path)
        elif gender is None and not is_given(value):
            gaps.add("row without a gender", row, key, f"gender is {value!r}")
        elif gender is None:
            gaps.add(
                "gender not understood", row, value,
                f"gender is {value!r}, expected {', '.join(words)} (see --female and --male)",
            )  # fmt: skip
        elif path is None:
            extension = "" if is_picture_name(key) else ".<extension>"
            gaps.add(
                "picture missing", row, key, f"{pictures.root / key}{extension} does not exist"
            )
        elif is_changed(table, row, fields, pictures.root / path):
            gaps.add("picture changed", row, path, f"{path} has changed since it was labelled")
        else:
            yield row, path, _Label(gender, parse_box(table, row, fields))


def _check_gaps(options: LabelOptions, gaps: _Gaps, rows: int, unlabelled: Sequence[str]) -> None:
    """Checks that not too many rows have no usable label or no picture.

    Raises:
        DataError: There are more such rows than the options allow, or pictures without a label if
            they allow none.
    """
    if gaps.count > (0 if options.strict else options.max_missing * rows):
        allowed = "none are allowed" if options.strict else f"{options.max_missing:.0%} are allowed"
        raise row_error(
            options.file,
            gaps.first[0],
            f"{gaps.first[1]} (rows without a usable label or a picture: {gaps.count:,} of "
            f"{rows:,}; {allowed}, see --max-missing); check --labels and --data",
        )
    if options.strict and unlabelled:
        raise DataError(
            f"{options.file}: {unlabelled[0]} has no label (such pictures: {len(unlabelled):,}); "
            "add a row, or omit --strict"
        )
