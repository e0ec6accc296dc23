"""Cuts face crops out of labelled pictures, with the same code as inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from image_gender_classifier import pipeline
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.datasets.reading import SkippedItems
from image_gender_classifier.train.datasets.sample import Sample

CutCrop = Callable[[Path, int], Pixels | None]
"""Takes a path and a side S; returns a crop (uint8 RGB, S x S x 3), or None if there is no face."""


@dataclass(slots=True)
class SkippedSamples:
    """Samples that were skipped because they have no crop; filled by `iterate_crops`.

    Attributes:
        unreadable: Name and reason for each sample that cannot be decoded.
        no_face: Names of the samples without a detected face.
    """

    unreadable: list[tuple[str, str]] = field(default_factory=list)
    no_face: list[str] = field(default_factory=list)


def make_crop_cutter(detector: Detector) -> CutCrop:
    """Returns a function that crops the main face that `detector` finds.

    The function returns None if there is no face, and raises UnreadablePicture if the picture
    cannot be decoded.
    """

    def cut(path: Path, size: int) -> Pixels | None:
        return pipeline.find_crop(decoding.read(path), detector, size)

    return cut


def iterate_crops(
    samples: Sequence[Sample], cut: CutCrop, size: int, skipped: SkippedSamples, description: str
) -> Iterator[tuple[Sample, Pixels]]:
    """Cuts the crops of samples one at a time, with a progress bar if stderr is a terminal.

    Args:
        samples: The labelled pictures.
        cut: Cuts one crop.
        size: Side of the crops in pixels.
        skipped: Receives the samples without a crop.
        description: Label of the progress bar.

    Yields:
        Each sample that has a crop, with the crop (uint8 RGB, size x size x 3), in order.
    """
    for sample in tqdm(samples, desc=description, unit="picture", disable=None):
        try:
            crop = cut(sample.path, size)
        except UnreadablePicture as error:
            skipped.unreadable.append((sample.name, str(error)))
            continue
        if crop is None:
            skipped.no_face.append(sample.name)
        else:
            yield sample, crop


def format_skipped(unreadable: Sequence[str], no_face: Sequence[str]) -> str:
    """Returns one line that lists the samples without a crop; "" if there are none.

    Args:
        unreadable: Names of the samples that cannot be decoded.
        no_face: Names of the samples without a detected face.
    """
    named = (("unreadable", unreadable), ("no face", no_face))
    reasons = [str(SkippedItems(reason, tuple(names))) for reason, names in named if names]
    return f"skipped: {'; '.join(reasons)}" if reasons else ""


def explain_no_crops(unreadable: int, no_face: int) -> str:
    """Returns the error message for a data set in which no sample has a crop.

    Args:
        unreadable: Number of pictures that cannot be decoded.
        no_face: Number of pictures without a detected face.
    """
    if no_face:
        also = f" ({unreadable:,} more cannot be read)" if unreadable else ""
        return f"no face found in any of {no_face:,} pictures{also}; check --detector"
    return f"none of the {unreadable:,} pictures can be read; check --data"
