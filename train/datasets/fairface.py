"""Reader for FairFace as published: two label files and the picture folders in one folder.

The name of a sample is the value in the column `file` of its label file, such as "train/1.jpg".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from image_gender_classifier.train.datasets.age_bands import age_band_from_label
from image_gender_classifier.train.datasets.labels_csv import (
    Table,
    check_pictures_exist,
    drop_repeated_rows,
    parse_gender,
    read_table,
)
from image_gender_classifier.train.datasets.listing import list_folder_pictures
from image_gender_classifier.train.datasets.reading import (
    DataError,
    Reading,
    make_reading,
    row_error,
)
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample

PARTS: tuple[Literal["train", "val"], ...] = ("train", "val")
RACES = (
    "Black",
    "East Asian",
    "Indian",
    "Latino_Hispanic",
    "Middle Eastern",
    "Southeast Asian",
    "White",
)


class _Label(NamedTuple):
    """The labels of one picture.

    Attributes:
        gender: Perceived gender.
        age: One of `AGE_BANDS`.
        race: One of `RACES`.
    """

    gender: BinaryGender
    age: str
    race: str

    def __str__(self) -> str:
        return ", ".join(self)


def label_file_path(root: Path, split: Literal["train", "val"]) -> Path:
    """Returns the path of a split's label file, even if the file does not exist."""
    return root / f"fairface_label_{split}.csv"


def read_fairface(root: Path, split: Literal["train", "val", "all"]) -> Reading:
    """Reads one split of FairFace, or both.

    Args:
        root: Folder with the label files.
        split: "train" and "val" require their own label file, "all" at least one of the two.

    Returns:
        Samples in the order of the label files, with the groups "age" and "race".

    Raises:
        DataError: Labels or pictures are missing or invalid, or a picture is in both label files.
    """
    if split != "all":
        return _read_part(root, split)
    there = [part for part in PARTS if label_file_path(root, part).exists()]
    if not there:
        wanted = " or ".join(label_file_path(root, part).name for part in PARTS)
        raise DataError(f"{root}: the folder contains no label file; expected {wanted}")
    return _join_parts(root, [_read_part(root, part) for part in there])


def check_picture_name(path: Path, row: int, name: str) -> str:
    """Checks the name of a picture in a label file or list, and returns it unchanged.

    Prevents path traversal: joined to the folder of the data set, the name stays inside.

    Args:
        path: The file that contains the name, for the error message.
        row: Row number in that file (1-based), for the error message.
        name: Path of the picture relative to its data set, with forward slashes.

    Raises:
        DataError: `name` is not a relative path with forward slashes, or has a part "." or "..".
    """
    parts = name.split("/")
    if "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise row_error(
            path,
            row,
            f"picture name {name!r}; expected a path relative to the data set, with "
            'forward slashes and without "." or ".."',
        )
    return name


def _read_part(root: Path, part: Literal["train", "val"]) -> Reading:
    """Reads one split; see `read_fairface`."""
    path = label_file_path(root, part)
    labels, repeated = drop_repeated_rows(path, _iterate_labels(read_table(path)))
    prefixes = {name[: name.rfind("/") + 1] for name in labels}
    there = {
        prefix + picture for prefix in prefixes for picture in list_folder_pictures(root / prefix)
    }
    missing = [(row, name) for name, (row, _) in labels.items() if name not in there]
    check_pictures_exist(path, missing, len(labels))
    samples = [
        Sample(name, root / name, label.gender, {"age": label.age, "race": label.race})
        for name, (_, label) in labels.items()
    ]
    return make_reading(
        samples,
        {
            "label row repeated": repeated,
            "label missing": sorted(there.difference(labels)),
        },
    )


def _iterate_labels(table: Table) -> Iterator[tuple[int, str, _Label]]:
    """Yields the row number, picture name and label of each row.

    Raises:
        DataError: A column is missing, or a field is invalid.
    """
    file, age, gender, race = map(table.column, ("file", "age", "gender", "race"))
    for row, fields in table.rows:
        name = check_picture_name(table.path, row, fields[file])
        try:
            band = age_band_from_label(fields[age])
        except ValueError as error:
            raise row_error(table.path, row, str(error)) from error
        if fields[race] not in RACES:
            problem = f"race is {fields[race]!r}, expected one of {', '.join(RACES)}"
            raise row_error(table.path, row, problem)
        yield row, name, _Label(parse_gender(table.path, row, fields[gender]), band, fields[race])


def _join_parts(root: Path, readings: list[Reading]) -> Reading:
    """Concatenates the readings of both splits.

    Raises:
        DataError: A picture is in both label files.
    """
    samples = [sample for reading in readings for sample in reading.samples]
    seen: set[str] = set()
    for sample in samples:
        if sample.name in seen:
            raise DataError(f"{root}: {sample.name!r} is in both label files; remove one row")
        seen.add(sample.name)
    skipped: dict[str, list[str]] = {}
    for reading in readings:
        for items in reading.skipped:
            skipped.setdefault(items.reason, []).extend(items.names)
    return make_reading(samples, skipped)
