"""Reader for pictures sorted into two folders, `female` and `male`.

The name of a sample is its path relative to the root, because file names can occur in both folders.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from image_gender_classifier.train.datasets.listing import list_pictures
from image_gender_classifier.train.datasets.reading import DataError, Reading, make_reading
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample

GENDERS: dict[str, BinaryGender] = {gender: gender for gender in get_args(BinaryGender)}


def read_gender_folders(root: Path) -> Reading:
    """Reads all pictures in the folders `female` and `male` of a data set and their subfolders.

    The names of the two folders are case-insensitive. Skips pictures outside the two folders.

    Args:
        root: The folder that contains the two folders.

    Returns:
        Samples sorted by name. All have the same gender if one folder is missing or empty.

    Raises:
        DataError: Neither folder contains a picture, or a folder cannot be read.
    """
    samples: list[Sample] = []
    unlabelled: list[str] = []
    for name in list_pictures(root):
        folder, slash, _ = name.partition("/")
        gender = GENDERS.get(folder.lower()) if slash else None
        if gender is None:
            unlabelled.append(name)
        else:
            samples.append(Sample(name, root / name, gender))
    if not samples:
        raise DataError(
            f"{root}: no pictures in the folders 'female' and 'male'; sort the pictures into them"
        )
    return make_reading(samples, {"label missing": unlabelled})
