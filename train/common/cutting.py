"""Cutting crops from labelled pictures, with the code that inference uses."""

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
from image_gender_classifier.train.datasets.reading import LeftOut
from image_gender_classifier.train.datasets.sample import Sample

CutCrop = Callable[[Path, int], Pixels | None]
"""Maps a picture's path and the crop's side in pixels to the crop; None if there is no face."""


@dataclass(slots=True)
class WithoutCrop:
    """Collects the pictures that give no crop.

    Attributes:
        unreadable: Name of each sample whose picture cannot be read, with the reason.
        no_face: Names of the samples in whose picture no face was found.
    """

    unreadable: list[tuple[str, str]] = field(default_factory=list)
    no_face: list[str] = field(default_factory=list)


def by(detector: Detector) -> CutCrop:
    """Gives a function that cuts the main face that a detector finds."""

    def cut(path: Path, size: int) -> Pixels | None:
        return pipeline.find_crop(decoding.read(path), detector, size)

    return cut


def crops(
    samples: Sequence[Sample], cut: CutCrop, size: int, without: WithoutCrop, doing: str
) -> Iterator[tuple[Sample, Pixels]]:
    """Cuts samples one at a time, with a progress bar where stderr is a terminal.

    Args:
        samples: The labelled pictures.
        cut: Cuts one crop.
        size: Side of the crops in pixels.
        without: Collects the samples without a crop.
        doing: Label of the progress bar.

    Yields:
        Each sample that has a crop, with the crop (uint8 RGB, size x size x 3), in order.
    """
    for sample in tqdm(samples, desc=doing, unit="picture", disable=None):
        try:
            crop = cut(sample.path, size)
        except UnreadablePicture as error:
            without.unreadable.append((sample.name, str(error)))
            continue
        if crop is None:
            without.no_face.append(sample.name)
        else:
            yield sample, crop


def left_out(unreadable: Sequence[str], no_face: Sequence[str]) -> str:
    """Lists the samples without a crop in one line; gives "" if there are none."""
    named = (("unreadable", unreadable), ("no face", no_face))
    reasons = [str(LeftOut(reason, tuple(names))) for reason, names in named if names]
    return f"left out: {'; '.join(reasons)}" if reasons else ""


def nothing_cut(unreadable: int, no_face: int) -> str:
    """Explains why none of the pictures gave a crop."""
    if no_face:
        also = f" ({unreadable:,} more cannot be read)" if unreadable else ""
        return f"no face in any of the {no_face:,} pictures{also}; check --detector"
    return f"none of the {unreadable:,} pictures can be read"
