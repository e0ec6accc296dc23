"""Geometry of faces: from a detector's bounding box to the classifier's crop.

The classifier is trained on one framing of the face, its *frame*: a square around the face with a
margin. The boxes of detectors differ, so the manifest states a mapping from box to frame for each
model. Training, calibration and inference cut crops with this module, so the crops are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp, floor, hypot, log2, sqrt
from typing import NamedTuple, cast

import cv2
import numpy as np

from image_gender_classifier.detection.turning import turn_shift_back
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.imaging.resizing import halve_repeatedly
from image_gender_classifier.results import Box, Face, Turn, intersect_boxes

_MIN_IOU = 0.45  # intersection over union (IoU) of two boxes of the same face
_MIN_CONTAINMENT = 0.8  # fraction of a box's area inside the other
# Low, because doubtful faces have low scores. Of the powers 0.3 to 2, best for faces of different
# sizes in one picture, and no worse for others (docs/experiments.md).
_SCORE_POWER = 0.5
# Pixels of the picture per pixel of the crop, from which a picture is halved before interpolation.
_MAX_LINEAR_STEP = 2
_MOST_SHIFT, _MOST_LOG_SIDE = 0.5, 0.7  # of a correction
_LINEAR, _AREA, _BEYOND_EDGES = cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.BORDER_REPLICATE


class Framing(NamedTuple):
    """Mapping from a detector's box to the classifier's frame.

    Attributes:
        scale: Side of the frame divided by the side of the box.
        shift_y: Distance from the centre of the box down to that of the frame, divided by the side
            of the box.
    """

    scale: float
    shift_y: float


def map_to_frame(box: Box, framing: Framing) -> Box:
    """Returns the classifier's square frame for a detector's box, in the same pixels.

    The side of a box that is not square is the geometric mean of width and height.

    Args:
        box: Bounding box of a detector.
        framing: The mapping for this detector.
    """
    box_side = sqrt(box.width * box.height)
    side = box_side * framing.scale
    centre_x = box.x + box.width / 2
    centre_y = box.y + box.height / 2 + framing.shift_y * box_side
    return Box(centre_x - side / 2, centre_y - side / 2, side, side)


def correct_frame(frame: Box, right: float, down: float, log_side: float, turn: Turn = 0) -> Box:
    """Returns a square frame that a network has corrected.

    Args:
        frame: The frame.
        right: How far to the right it moves, in its sides; at most 0.5.
        down: Likewise, down.
        log_side: Natural logarithm of the factor of its side; at most 0.7. More than these limits,
            which no training reaches, is reduced to them.
        turn: Degrees by which the picture was turned clockwise when the network saw it; the frame
            is that in the original picture.
    """
    x, y, width, _ = frame
    right, down = turn_shift_back(right, down, turn)
    side = width * exp(min(max(log_side, -_MOST_LOG_SIDE), _MOST_LOG_SIDE))
    margin = (width - side) / 2
    left = x + min(max(right, -_MOST_SHIFT), _MOST_SHIFT) * width + margin
    top = y + min(max(down, -_MOST_SHIFT), _MOST_SHIFT) * width + margin
    return Box(left, top, side, side)


def find_central_square(height: int, width: int) -> Box:
    """Returns the largest centred square of a picture, in pixels; the frame of a face crop.

    Args:
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
    """
    side = min(height, width)
    return Box((width - side) / 2, (height - side) / 2, side, side)


def cut_crop(pixels: Pixels, square: Box, size: int) -> Pixels:
    """Cuts a square frame out of a picture and resizes it to the classifier's input.

    Beyond the picture, edge pixels are repeated. A frame at fractional coordinates is sampled by
    linear interpolation; if its side is at least twice `size`, the pixels around it are halved
    first. A frame at whole coordinates is shrunk by area averaging, which avoids aliasing, or
    enlarged by linear interpolation.

    Args:
        pixels: uint8, H x W x C or H x W.
        square: Frame in pixels of `pixels`; may extend beyond the picture.
        size: Side of the crop in pixels.

    Returns:
        uint8, size x size x C (or size x size), C-contiguous; may be a view of `pixels`.
    """
    if square.x % 1 or square.y % 1 or square.width % 1 or square.height % 1:
        return _sample(pixels, square, size)
    left, top, side = int(square.x), int(square.y), max(int(square.width), 1)
    height, width = pixels.shape[:2]
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        inside = pixels[top : top + side, left : left + side]
    else:
        inside = _repeat_edges(pixels, left, top, side)
    if side == size:
        return np.ascontiguousarray(inside)
    interpolation = _AREA if side > size else _LINEAR
    return cast(Pixels, cv2.resize(inside, (size, size), interpolation=interpolation))


def _sample(pixels: Pixels, square: Box, size: int) -> Pixels:
    """Samples a square at fractional coordinates by linear interpolation; see `cut_crop`."""
    step = square.width / size
    if step >= _MAX_LINEAR_STEP:
        pixels, square = _halve_around(pixels, square, step)
        step = square.width / size
    left, top = (start + (step - 1) / 2 for start in (square.x, square.y))
    from_crop = np.array([[step, 0, left], [0, step, top]])
    flags = _LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(pixels, from_crop, (size, size), flags=flags, borderMode=_BEYOND_EDGES)
    return cast(Pixels, sampled)


def _halve_around(pixels: Pixels, square: Box, step: float) -> tuple[Pixels, Box]:
    """Returns a part of the picture around a square, halved, and the square in its pixels.

    Args:
        pixels: See `cut_crop`.
        square: See `cut_crop`.
        step: Pixels of the picture per pixel of the crop, at least 2; less than 2 in the result,
            except for pictures of a few pixels.
    """
    margin = ceil(step)  # what the outermost pixels of the crop are interpolated from
    factor = 2 ** floor(log2(step))
    spans = []
    for start, extent in ((square.x, pixels.shape[1]), (square.y, pixels.shape[0])):
        # At least one row and column of the picture: a square beside it shows its edge only.
        first = min(max(floor(start) - margin, 0), extent - 1)
        last = min(max(ceil(start + square.width) + margin, first + 1), extent)
        # Halving drops what does not fill a block, so the part grows to whole blocks.
        first = max(first - (first - last) % factor, 0)
        last = min(last + (first - last) % factor, extent)
        spans.append((first, last))
    (left, right), (top, bottom) = spans
    part = pixels[top:bottom, left:right]
    part, factor = halve_repeatedly(part, max(part.shape[:2]) / step)
    side = square.width / factor
    return part, Box((square.x - left) / factor, (square.y - top) / factor, side, side)


def _repeat_edges(pixels: Pixels, left: int, top: int, side: int) -> Pixels:
    """Returns a square that extends beyond a picture, where edge pixels are repeated."""
    height, width = pixels.shape[:2]
    # At least one row and column of the picture: a square beside it shows its edge only.
    first_row, first_column = min(max(top, 0), height - 1), min(max(left, 0), width - 1)
    last_row = min(max(top + side, 1), height)
    last_column = min(max(left + side, 1), width)
    part = pixels[first_row:last_row, first_column:last_column]
    above, before = (min(max(-start, 0), side - 1) for start in (top, left))
    below, after = side - above - part.shape[0], side - before - part.shape[1]
    return cast(Pixels, cv2.copyMakeBorder(part, above, below, before, after, _BEYOND_EDGES))


def scale_box(box: Box, factor: float) -> Box:
    """Returns a box with position and size multiplied by `factor`."""
    return Box(factor * box.x, factor * box.y, factor * box.width, factor * box.height)


def overlaps(one: Box, other: Box) -> bool:
    """Returns whether two boxes overlap so much that they belong to the same face.

    The criterion is an intersection over union (IoU) of at least 0.45, or at least 80 % of the area
    of `other` inside `one`: the eyes and mouth of a large face may be detected as a small face.

    Args:
        one: Box of the better detection.
        other: Box that may be a duplicate, in the same pixels.
    """
    intersection = intersect_boxes(one, other)
    if not intersection:
        return False
    other_area = other.width * other.height
    union = one.width * one.height + other_area - intersection
    return intersection >= min(_MIN_IOU * union, _MIN_CONTAINMENT * other_area)


def compute_prominence(box: Box, width: int, height: int) -> float:
    """Returns the prominence of a face in a portrait: size times centrality.

    Args:
        box: Bounding box of the face.
        width: Width of the picture in the same unit.
        height: Height of the picture in the same unit.

    Returns:
        0 to 1 for a box inside the picture: the box's side (the square root of its area) over the
        picture's longer side, times centrality, which is 1 for a box in the centre of the picture
        and 0 for one whose centre is in a corner.
    """
    distance = hypot(box.x + (box.width - width) / 2, box.y + (box.height - height) / 2)
    centrality = 1 - distance / (hypot(width, height) / 2)
    return sqrt(box.width * box.height) / max(width, height) * centrality


def weigh_main_face(box: Box, score: float, width: int, height: int) -> float:
    """Returns the weight of a face for choosing the main face: prominence times the root of score.

    An object that resembles a face, such as a fist, may be larger than the face but has a lower
    score.

    Args:
        box: Box of the face, in pixels of the original.
        score: Its score, 0 to 1.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
    """
    return compute_prominence(box, width, height) * float(score**_SCORE_POWER)


def sort_main_face_first(faces: Sequence[Face], width: int, height: int) -> list[Face]:
    """Returns faces in descending order of `weigh_main_face`; the first is the main face.

    Args:
        faces: Faces of one picture, boxes in pixels of the original. Without a score, it is 1.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
    """

    def weigh(face: Face) -> float:
        score = 1.0 if face.score is None else face.score
        return weigh_main_face(face.box, score, width, height)

    return sorted(faces, key=weigh, reverse=True)
