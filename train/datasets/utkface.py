"""Reader for UTKFace, whose file names contain the labels: `age_gender_race_date`.

The name of a sample is the file name without its folder, because copies of the data set use
different folders.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.train.datasets.age_bands import OLDEST_YEARS, age_band_from_years
from image_gender_classifier.train.datasets.listing import is_picture_name, list_pictures
from image_gender_classifier.train.datasets.reading import (
    DataError,
    Reading,
    has_too_many_flaws,
    make_reading,
)
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample

GENDERS: tuple[BinaryGender, ...] = ("male", "female")
RACES = ("White", "Black", "Asian", "Indian", "Other")

# Accepts any ending, because the first dot can be missing:
# "55_0_0_20170116232725357jpg.chip.jpg".
_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d", re.ASCII)


class Label(NamedTuple):
    """The labels in a file name.

    Attributes:
        years: Age in years.
        gender: Perceived gender.
        race: One of `RACES`.
    """

    years: int
    gender: BinaryGender
    race: str


def parse_label(name: str) -> Label | None:
    """Parses the labels in a file name; returns None if a label is missing or out of range."""
    match = _NAME.match(name)
    if match is None or int(match[1]) > OLDEST_YEARS:
        return None
    return Label(int(match[1]), GENDERS[int(match[2])], RACES[int(match[3])])


def read_utkface(root: Path) -> Reading:
    """Reads all pictures with labels in their names, in a folder and its subfolders.

    Skips pictures without labels, and all but the first picture with the same file name.

    Returns:
        Samples sorted by path, with the groups "age" (FairFace's bands) and "race".

    Raises:
        DataError: There are no pictures, more than 1% of the names contain no labels, or a folder
            cannot be read.
    """
    paths = list_pictures(root, _is_wanted)
    if not paths:
        raise DataError(
            f"{root}: the folder contains no pictures; expected names like "
            "26_0_2_20170104023102422.jpg (age_gender_race_date)"
        )
    samples: dict[str, Sample] = {}
    unlabelled: list[str] = []
    repeated: list[str] = []
    for path in paths:
        name = path.rpartition("/")[2]
        label = parse_label(name)
        if label is None:
            unlabelled.append(path)
        elif name in samples:
            repeated.append(path)
        else:
            groups = {"age": age_band_from_years(label.years), "race": label.race}
            samples[name] = Sample(name, root / path, label.gender, groups)
    if has_too_many_flaws(len(unlabelled), len(paths)):
        raise DataError(
            f"{root / unlabelled[0]}: the file name contains no labels (such files: "
            f"{len(unlabelled):,} of {len(paths):,}); expected names like "
            "26_0_2_20170104023102422.jpg (age_gender_race_date)"
        )
    return make_reading(
        list(samples.values()), {"label missing": unlabelled, "name repeated": repeated}
    )


def _is_wanted(name: str) -> bool:
    """Returns whether a file name contains labels or has the extension of a picture format."""
    return parse_label(name) is not None or is_picture_name(name)
