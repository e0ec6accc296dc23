"""Geometry of faces: from a detector's box to the classifier's crop.

The classifier is trained on one framing of the face, its *frame*: a square around the face with a
margin. Detectors draw different boxes, so the manifest has a mapping from box to frame for each.
Training, calibration and inference cut their crops here, so that they see the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt
from typing import NamedTuple, cast

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, Face

_MIN_IOU = 0.45  # intersection over union of two frames of one face; neighbours have less
_MIN_CONTAINMENT = 0.8  # share of a box's area inside the other
# Chosen on WIDER and LFW portraits, upright and rotated by 30 degrees, among 0 to 10.
_SCORE_POWER = 2
# Interpolation of crops: linear up to this many pixels of the picture per pixel of the crop.
_MAX_LINEAR_STEP = 2
_SMALL_CROP, _LARGE_CROP, _BEYOND_EDGES = cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.BORDER_REPLICATE


class Framing(NamedTuple):
    """Mapping from a detector's box to the classifier's frame.

    Attributes:
        scale: Side of the frame over side of the box.
        shift_y: Distance of the frame's centre below the box's, in sides of the box.
    """

    scale: float
    shift_y: float


def frame(box: Box, framing: Framing) -> Box:
    """Maps a detector's box to the classifier's square frame.

    The side of a box that is not square is the geometric mean of its width and height.
    """
    box_side = sqrt(box.width * box.height)
    side = box_side * framing.scale
    centre_x = box.x + box.width / 2
    centre_y = box.y + box.height / 2 + framing.shift_y * box_side
    return Box(centre_x - side / 2, centre_y - side / 2, side, side)


def whole(height: int, width: int) -> Box:
    """Returns the frame of a picture that is a face crop: its largest centred square."""
    side = min(height, width)
    return Box((width - side) / 2, (height - side) / 2, side, side)


def crop(pixels: Pixels, square: Box, size: int) -> Pixels:
    """Cuts a square frame out of a picture and resizes it to the classifier's input.

    Edge pixels are repeated beyond the picture. Small frames at fractional coordinates are sampled
    by linear interpolation. Large frames, and frames at whole pixels such as those of pictures that
    are crops, are shrunk by area averaging, which avoids aliasing.

    Args:
        pixels: uint8, H x W x C or H x W.
        square: Frame in pixels of `pixels`; may reach beyond them.
        size: Side of the crop in pixels.

    Returns:
        uint8, size x size x C (or size x size), C-contiguous.
    """
    step = square.width / size
    if step < _MAX_LINEAR_STEP and any(value % 1 for value in square):
        left, top = (start + (step - 1) / 2 for start in (square.x, square.y))
        from_crop = np.array([[step, 0, left], [0, step, top]])
        flags = _SMALL_CROP | cv2.WARP_INVERSE_MAP
        sampled = cv2.warpAffine(
            pixels, from_crop, (size, size), flags=flags, borderMode=_BEYOND_EDGES
        )
        return cast(Pixels, sampled)
    side = max(round(square.width), 1)
    left, top = (round(start + (square.width - side) / 2) for start in (square.x, square.y))
    height, width = pixels.shape[:2]
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        inside = pixels[top : top + side, left : left + side]
    else:
        rows = np.clip(np.arange(top, top + side), 0, height - 1)
        columns = np.clip(np.arange(left, left + side), 0, width - 1)
        inside = pixels.take(rows, axis=0).take(columns, axis=1)
    if side == size:
        return np.ascontiguousarray(inside)
    interpolation = _LARGE_CROP if side > size else _SMALL_CROP
    return cast(Pixels, cv2.resize(inside, (size, size), interpolation=interpolation))


def overlaps(one: Box, other: Box) -> bool:
    """Returns whether `other` overlaps `one` so much that it is the same face.

    Either their IoU (intersection over union) is high, or `other` lies inside `one`: eyes and mouth
    of a large face may be detected as a small face.
    """
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(across, 0.0) * max(down, 0.0)
    areas = one.width * one.height, other.width * other.height
    return shared >= min(_MIN_IOU * (sum(areas) - shared), _MIN_CONTAINMENT * areas[1])


def prominence(box: Box, width: int, height: int) -> float:
    """Returns how likely a face belongs to the person that a portrait shows, from 0 to 1.

    Portraits show their person large and centred, hence side x centrality. Centrality falls from 1
    in the picture's centre to 0 in its corners.

    Args:
        box: The face's box.
        width: The picture's width in the same unit.
        height: The picture's height in the same unit.

    Returns:
        The box's side over the picture's longer side, times centrality.
    """
    distance = hypot(box.x + (box.width - width) / 2, box.y + (box.height - height) / 2)
    centrality = 1 - distance / (hypot(width, height) / 2)
    return sqrt(box.width * box.height) / max(width, height) * centrality


def main_face_weight(face: Face, width: int, height: int) -> float:
    """Returns how likely a face is the main one: prominence times the squared score.

    Objects that resemble a face, such as a fist in a portrait, may be larger than the face, but
    have a lower score. The face of a detector without scores counts as certain.

    Args:
        face: The face, its box in pixels of the original.
        width: The picture's width in pixels.
        height: The picture's height in pixels.
    """
    score = 1.0 if face.score is None else face.score
    return prominence(face.box, width, height) * score**_SCORE_POWER


def main_first(faces: Sequence[Face], width: int, height: int) -> list[Face]:
    """Sorts faces in descending order of `main_face_weight`: the first is the main face.

    Args:
        faces: Faces in one picture, boxes in pixels of the original.
        width: The picture's width in pixels.
        height: The picture's height in pixels.
    """
    return sorted(faces, key=lambda face: main_face_weight(face, width, height), reverse=True)
