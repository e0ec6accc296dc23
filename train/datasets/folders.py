"""Reader for pictures sorted into folders such as `female` and `male`, or `women` and `men`.

The name of a sample is its path relative to the root, because file names can occur in both folders.
"""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.train.datasets.genders import WORDS, GenderWords, find_gender
from image_gender_classifier.train.datasets.listing import list_pictures
from image_gender_classifier.train.datasets.reading import DataError, Reading, make_reading
from image_gender_classifier.train.datasets.sample import Sample


def read_gender_folders(root: Path, words: GenderWords = WORDS) -> Reading:
    """Reads all pictures in the folders of a data set that are named by a gender.

    Includes their subfolders. The names are case-insensitive. Skips pictures elsewhere.

    Args:
        root: The folder that contains these folders.
        words: The names of the folders.

    Returns:
        Samples sorted by name. All have the same gender if the folders of the other are missing or
        empty.

    Raises:
        DataError: No such folder contains a picture, or a folder cannot be read.
    """
    samples: list[Sample] = []
    unlabelled: list[str] = []
    for name in list_pictures(root):
        folder, slash, _ = name.partition("/")
        gender = find_gender(folder, words) if slash else None
        if gender is None:
            unlabelled.append(name)
        else:
            samples.append(Sample(name, root / name, gender))
    if not samples:
        raise DataError(
            f"{root}: no pictures in the folders 'female' and 'male'; sort the pictures into them, "
            "or name the folders with --female and --male"
        )
    return make_reading(samples, {"label missing": unlabelled})
