"""Reader for FairFace in its published layout: two label files beside the picture folders.

A sample's name is the value of the label file's `file` column, such as "train/1.jpg".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from image_gender_classifier.train.datasets.age_bands import band_of_label
from image_gender_classifier.train.datasets.labels_csv import (
    Table,
    gender_of,
    read_table,
    refuse_missing,
    unique_labels,
)
from image_gender_classifier.train.datasets.listing import pictures_in
from image_gender_classifier.train.datasets.reading import DataError, Reading, collect, row_error
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
    gender: BinaryGender
    age: str
    race: str

    def __str__(self) -> str:
        return ", ".join(self)


def label_file(root: Path, part: Literal["train", "val"]) -> Path:
    """Gives the path of a part's label file."""
    return root / f"fairface_label_{part}.csv"


def read(root: Path, split: Literal["train", "val", "all"]) -> Reading:
    """Reads one part of the published split, or all existing parts.

    Args:
        root: The folder with the label files.
        split: "train" and "val" require their label file, "all" at least one of them.

    Returns:
        Samples in the order of the label files, with the groups "age" and "race".

    Raises:
        DataError: Labels or pictures are missing or wrong.
    """
    if split != "all":
        return _read_part(root, split)
    there = [part for part in PARTS if label_file(root, part).exists()]
    if not there:
        wanted = " or ".join(label_file(root, part).name for part in PARTS)
        raise DataError(f"{root}: expected {wanted}, found neither")
    return _join(root, [_read_part(root, part) for part in there])


def checked_name(path: Path, row: int, name: str) -> str:
    """Checks a picture's name relative to the label file's folder; gives it normalised.

    Raises:
        DataError: The name is empty, absolute or outside the folder.
    """
    parts = name.split("/")
    if "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise row_error(path, row, f"file is {name!r}, expected a path below the folder of the CSV")
    return name


def _read_part(root: Path, part: Literal["train", "val"]) -> Reading:
    path = label_file(root, part)
    labels, repeated = unique_labels(path, _labels(read_table(path)))
    prefixes = {name[: name.rfind("/") + 1] for name in labels}
    there = {prefix + picture for prefix in prefixes for picture in pictures_in(root / prefix)}
    missing = [(row, name) for name, (row, _) in labels.items() if name not in there]
    refuse_missing(path, missing, len(labels))
    samples = [
        Sample(name, root / name, label.gender, {"age": label.age, "race": label.race})
        for name, (_, label) in labels.items()
    ]
    return collect(
        samples,
        {
            "label row repeated": repeated,
            "label missing": sorted(there.difference(labels)),
        },
    )


def _labels(table: Table) -> Iterator[tuple[int, str, _Label]]:
    """Yields row, name and label of each row."""
    file, age, gender, race = map(table.column, ("file", "age", "gender", "race"))
    for row, fields in table.rows:
        name = checked_name(table.path, row, fields[file])
        try:
            band = band_of_label(fields[age])
        except ValueError as error:
            raise row_error(table.path, row, str(error)) from error
        if fields[race] not in RACES:
            problem = f"race is {fields[race]!r}, expected one of {', '.join(RACES)}"
            raise row_error(table.path, row, problem)
        yield row, name, _Label(gender_of(table.path, row, fields[gender]), band, fields[race])


def _join(root: Path, readings: list[Reading]) -> Reading:
    """Concatenates the parts of the split."""
    samples = [sample for reading in readings for sample in reading.samples]
    seen: set[str] = set()
    for sample in samples:
        if sample.name in seen:
            raise DataError(f"{root}: {sample.name!r} is in both label files, expected in one")
        seen.add(sample.name)
    left_out: dict[str, list[str]] = {}
    for reading in readings:
        for part in reading.left_out:
            left_out.setdefault(part.reason, []).extend(part.names)
    return collect(samples, left_out)
