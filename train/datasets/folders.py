"""Reader for pictures sorted into two folders, `female` and `male`.

A sample's name is its path relative to the root, because both folders can use the same file names.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from image_gender_classifier.train.datasets.listing import list_pictures
from image_gender_classifier.train.datasets.reading import DataError, Reading, collect
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample

GENDERS: dict[str, BinaryGender] = {gender: gender for gender in get_args(BinaryGender)}


def read(root: Path) -> Reading:
    """Reads all pictures in the two folders (case-insensitive) and their subfolders.

    Returns:
        Samples in the order of their names; of one gender if the other folder is missing.
        Pictures outside the two folders are left out.

    Raises:
        DataError: Neither folder has a picture.
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
            f"{root}: expected the folders 'female' and 'male' with pictures, found neither"
        )
    return collect(samples, {"label missing": unlabelled})
