"""Reader for UTKFace, whose file names hold the labels: `age_gender_race_date` and any suffix.

A sample's name is the file name without its folder, because copies of the data set differ in their
folders.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.train.datasets.age_bands import OLDEST_YEARS, band_of_years
from image_gender_classifier.train.datasets.listing import is_picture_name, list_pictures
from image_gender_classifier.train.datasets.reading import (
    DataError,
    Reading,
    collect,
    is_too_many,
)
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample

GENDERS: tuple[BinaryGender, ...] = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "Other")

# The first dot of the suffix can be missing, as in "55_0_0_20170116232725357jpg.chip.jpg".
_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d", re.ASCII)


class Label(NamedTuple):
    """The labels in a file name."""

    years: int
    gender: BinaryGender
    race: str


def label_of_name(name: str) -> Label | None:
    """Parses a file name; gives None if a field is missing or out of range."""
    match = _NAME.match(name)
    if match is None or int(match[1]) > OLDEST_YEARS:
        return None
    return Label(int(match[1]), GENDERS[int(match[2])], RACES[int(match[3])])


def read(root: Path) -> Reading:
    """Reads all files with such a name in a folder and its subfolders.

    Returns:
        Samples in the order of their paths, with the groups "age" (FairFace's bands) and "race".

    Raises:
        DataError: There are no pictures, or too many names without labels.
    """
    paths = list_pictures(root, _is_wanted)
    if not paths:
        raise DataError(f"{root}: expected pictures named age_gender_race_date, found no picture")
    samples: dict[str, Sample] = {}
    unlabelled: list[str] = []
    repeated: list[str] = []
    for path in paths:
        name = path.rpartition("/")[2]
        label = label_of_name(name)
        if label is None:
            unlabelled.append(path)
        elif name in samples:
            repeated.append(path)
        else:
            groups = {"age": band_of_years(label.years), "race": label.race}
            samples[name] = Sample(name, root / path, label.gender, groups)
    if is_too_many(len(unlabelled), len(paths)):
        raise DataError(
            f"{root / unlabelled[0]}: expected a name like 26_0_2_20170104023102422.jpg "
            f"(age_gender_race_date); {len(unlabelled):,} of {len(paths):,} names are not"
        )
    return collect(list(samples.values()), {"label missing": unlabelled, "name repeated": repeated})


def _is_wanted(name: str) -> bool:
    """Selects names with labels, and all names of pictures, to count invalid ones."""
    return label_of_name(name) is not None or is_picture_name(name)
