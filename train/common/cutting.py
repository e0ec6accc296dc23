"""Cuts face crops out of labelled pictures, with the same code as inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from image_gender_classifier import pipeline
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.geometry import overlaps, sort_main_face_first
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Face
from image_gender_classifier.train.datasets.reading import SkippedItems, format_count
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.datasets.unfinished import name_unfinished

CutCrop = Callable[[Sample, int], Pixels | None]
"""Function from a labelled picture and a side S to a crop, or to None if there is no face.

The crop is uint8 RGB, S x S x 3.
"""


@dataclass(slots=True)
class SkippedSamples:
    """The samples without a crop; `iterate_crops` appends to both lists.

    Attributes:
        unreadable: Name and reason for each sample that cannot be decoded.
        no_face: Names of the samples without a detected face.
    """

    unreadable: list[tuple[str, str]] = field(default_factory=list)
    no_face: list[str] = field(default_factory=list)


def make_crop_cutter(detector: Detector) -> CutCrop:
    """Returns a function that detects the labelled face of a picture and cuts its crop.

    That is the face of the sample's box, or the main face if the sample has no box. The function
    returns None if there is no face. It raises UnreadablePicture if the picture cannot be decoded,
    and ModelError if a model of the detector cannot be run.
    """

    def cut(sample: Sample, size: int) -> Pixels | None:
        picture = decoding.read(sample.path)
        if sample.box is None:
            return pipeline.find_crop(picture, detector, size)
        face = find_labelled_face(picture, detector, sample)
        return None if face is None else pipeline.cut_face_crop(picture, face, detector, size)

    return cut


def find_labelled_face(picture: Picture, detector: Detector, sample: Sample) -> Face | None:
    """Detects the face that a label is about: that of the sample's box, or the main face.

    Args:
        picture: The picture of the sample.
        detector: Detects the faces.
        sample: The labelled picture.

    Returns:
        The face; None if it is not detected.

    Raises:
        ModelError: A model of the detector cannot be run.
        UnreadablePicture: The picture cannot be decoded again by `Picture.finer`.
    """
    faces = sort_main_face_first(detector.detect(picture), picture.width, picture.height)
    box = sample.box
    return next((face for face in faces if box is None or overlaps(face.box, box)), None)


def iterate_crops(
    samples: Sequence[Sample], cut: CutCrop, size: int, skipped: SkippedSamples, description: str
) -> Iterator[tuple[Sample, Pixels]]:
    """Cuts the crops of samples one at a time, with a progress bar if stderr is a terminal.

    Args:
        samples: The labelled pictures.
        cut: Function that cuts the crop of one picture.
        size: Side of the crops in pixels.
        skipped: The samples without a crop are appended to its lists.
        description: Label of the progress bar.

    Yields:
        Each sample that has a crop, with the result of `cut` (uint8 RGB, usually size x size x 3),
        in the order of `samples`.

    Raises:
        Unfinished: Memory is short, or a picture cannot be read at present.
        Exception: `cut` raised another exception than these and UnreadablePicture.
    """
    for sample in tqdm(samples, desc=description, unit="picture", disable=None):
        try:
            with name_unfinished(sample.path):
                crop = cut(sample, size)
        except UnreadablePicture as error:
            skipped.unreadable.append((sample.name, str(error)))
            continue
        if crop is None:
            skipped.no_face.append(sample.name)
        else:
            yield sample, crop


def format_skipped(unreadable: Sequence[str], no_face: Sequence[str]) -> str:
    """Formats the samples without a crop as one line of text; returns "" if there are none.

    Args:
        unreadable: Names of the samples that cannot be decoded.
        no_face: Names of the samples without a detected face.
    """
    named = (("unreadable", unreadable), ("no face", no_face))
    reasons = [str(SkippedItems(reason, tuple(names))) for reason, names in named if names]
    return f"skipped: {'; '.join(reasons)}" if reasons else ""


def explain_no_crops(unreadable: int, no_face: int) -> str:
    """Formats the error message for a data set in which no sample has a crop.

    Args:
        unreadable: Number of pictures that cannot be decoded.
        no_face: Number of pictures without a detected face.
    """
    if no_face:
        also = f" ({unreadable:,} more cannot be read)" if unreadable else ""
        pictures = format_count(no_face, "picture")
        return f"no face found in {pictures}{also}; check --detector"
    return f"no picture can be read ({unreadable:,} tried); check --data"
