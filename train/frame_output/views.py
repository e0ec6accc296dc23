"""Views of faces whose true frame is known, for the training of the frame output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from image_gender_classifier.classification.classifier import FrameCorrection
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, compute_iou
from image_gender_classifier.train.common.frame_correction import compute_correction
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.detector.candidate_pictures import draw_composite

_TIGHT = 0.2  # fraction of the pictures that are nothing but a face crop
_SAME_FACE_IOU = 0.4
_MOVED = 2  # further views of a detected face, moved at random
# Standard deviations, in sides of the frame and of its logarithm.
_RIGHT, _DOWN, _LOG_SIDE = 0.03, 0.025, 0.05
_INNER_LOG_SIDE, _LEAST_INNER = 0.07, 0.005  # of how much smaller a view inside a crop is

_Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class FrameViews:
    """Views of faces, N in all.

    Attributes:
        crops: uint8 RGB, N x S x S x 3.
        corrections: The corrections of their frames, float32, N x 3.
    """

    crops: Pixels
    corrections: npt.NDArray[np.float32]


def collect_views(
    detector: Detector,
    faces: Sequence[Pixels],
    backgrounds: Sequence[Pixels],
    *,
    pictures: int,
    size: int,
    seed: int,
) -> FrameViews:
    """Detects faces in composites and in face crops, and cuts views of them.

    The views of a picture are those of the detected frame and of two that are moved at random. One
    more view lies inside a face crop: there, no edge of what was pasted tells where the frame is.

    Args:
        detector: The face detector.
        faces: Face crops with the margin of the gender classifier, uint8 RGB, S x S x 3; each is
            its own frame.
        backgrounds: Pictures without people, uint8 RGB, H x W x 3.
        pictures: Number of pictures; one in five is a face crop.
        size: Side of the views in pixels.
        seed: Seed of all random choices.

    Returns:
        The views, in the order of the pictures.

    Raises:
        DataError: No face is detected.
    """
    random = np.random.default_rng(seed)
    # Filled in place: the views of the default number of pictures take 2.7 GB.
    crops = np.empty((pictures * (_MOVED + 2), size, size, 3), np.uint8)
    corrections = np.empty((len(crops), 3), np.float32)
    count = 0
    for _ in tqdm(range(pictures), "searching", unit="picture", disable=None):
        for crop, correction in _draw_views(detector, faces, backgrounds, size, random):
            crops[count], corrections[count] = crop, correction
            count += 1
    if count == pictures:  # nothing but the views inside crops
        raise DataError("the face detector finds no face in the pictures; use more pictures")
    return FrameViews(crops[:count], corrections[:count])


def _draw_views(
    detector: Detector,
    faces: Sequence[Pixels],
    backgrounds: Sequence[Pixels],
    size: int,
    random: _Random,
) -> Iterator[tuple[Pixels, FrameCorrection]]:
    """Yields the views of one picture, if its face is detected, and a view inside a crop."""
    pixels, frame = _draw(faces, backgrounds, random)
    picture = Picture(np.ascontiguousarray(pixels), pixels.shape[1], pixels.shape[0])
    square = _detect(detector, picture, frame)
    if square is not None:
        for each in (square, *(_move(square, random) for _ in range(_MOVED))):
            yield _view(pixels, each, frame, size)
    yield _view_inside(faces[int(random.integers(len(faces)))], size, random)


def _draw(
    faces: Sequence[Pixels], backgrounds: Sequence[Pixels], random: _Random
) -> tuple[Pixels, Box]:
    """Generates a picture with one face; returns it and the face's frame in pixels."""
    if random.random() >= _TIGHT:
        return draw_composite(faces, backgrounds, random)
    face = faces[int(random.integers(len(faces)))]
    return face, geometry.find_central_square(*face.shape[:2])


def _detect(detector: Detector, picture: Picture, frame: Box) -> Box | None:
    """Returns the detected frame of the main face; None if it is not the known one, or turned."""
    faces = geometry.sort_main_face_first(detector.detect(picture), picture.width, picture.height)
    if not faces or faces[0].turn:
        return None
    square = geometry.map_to_frame(faces[0].box, detector.framings[faces[0].detector])
    return square if compute_iou(square, frame) >= _SAME_FACE_IOU else None


def _view(pixels: Pixels, square: Box, frame: Box, size: int) -> tuple[Pixels, FrameCorrection]:
    """Returns the view in a square, and its correction."""
    return geometry.cut_crop(pixels, square, size), compute_correction(square, frame)


def _view_inside(face: Pixels, size: int, random: _Random) -> tuple[Pixels, FrameCorrection]:
    """Returns a view inside a face crop."""
    whole = geometry.find_central_square(*face.shape[:2])
    side = whole.width * exp(-abs(random.normal(0, _INNER_LOG_SIDE)) - _LEAST_INNER)
    free = (whole.width - side) / 2
    right, down = np.clip(whole.width * random.normal(0, (_RIGHT, _DOWN)), -free, free).tolist()
    square = Box(whole.x + free + right, whole.y + free + down, side, side)
    return _view(face, square, whole, size)


def _move(square: Box, random: _Random) -> Box:
    """Returns a square that is moved and scaled at random."""
    log_side = random.normal(0, _LOG_SIDE)
    right, down = random.normal(0, (_RIGHT, _DOWN)).tolist()
    return geometry.correct_frame(square, right, down, log_side)
