"""What the face finder is shown of a picture, and what its maps say.

Boxes are frames of the classifier, in pixels of what they are found in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil, exp
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.geometry import overlaps
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.imaging.resizing import halved
from image_gender_classifier.results import Box

STRIDE = 8
TELLING = 0.3  # share of a peak's height from which a cell around it tells the frame
_REACH = 0.3  # of a frame's side: how far around a peak cells are asked for the frame
_OTHER_SIZE = 0.3  # logarithm of two faces' sides
_CERTAIN = 30.0  # a logit beyond which nothing changes
_BLANK = 127  # what the network's normalisation turns into nothing
DECODING = (TELLING, _REACH, _OTHER_SIZE)
_Floats = npt.NDArray[np.float32]


class Found(NamedTuple):
    """A face that the finder sees.

    Attributes:
        frame: The classifier's frame around it.
        logit: How sure the finder is: the logit of its being a face.
    """

    frame: Box
    logit: float


def squares(height: int, width: int, side: int) -> Iterator[tuple[int, int, int]]:
    """Gives squares (left, top, side) that overlap by half and cover a picture.

    A side longer than the picture's makes squares that reach beyond it.
    """
    for top in _steps(height, side):
        for left in _steps(width, side):
            yield left, top, side


def _steps(extent: int, side: int) -> list[int]:
    """Gives where windows of a side begin that overlap by half at least and cover an extent."""
    count = max(ceil((extent - side) / (side / 2)), 0) + 1
    return [round(place * max(extent - side, 0) / max(count - 1, 1)) for place in range(count)]


def window(frame: Box, margin: float, height: int, width: int) -> tuple[int, int, int]:
    """Gives the square (left, top, side) to look at for one face.

    It lies inside the picture as far as it can: the network knows pictures better than what
    might be put beyond their edges.

    Args:
        frame: The face's frame.
        margin: Side of the square over the frame's.
        height: The picture's height.
        width: The picture's width.
    """
    side = max(min(ceil(margin * frame.width), max(height, width)), 1)
    left, top = (
        min(max(round(start + (frame.width - side) / 2), 0), max(extent - side, 0))
        for start, extent in ((frame.x, width), (frame.y, height))
    )
    return left, top, side


def letterbox(pixels: Pixels, size: int) -> Pixels:
    """Shrinks or enlarges a picture into the top left corner of a blank square.

    Args:
        pixels: uint8 RGB, H x W x 3.
        size: Side of the square in pixels.

    Returns:
        uint8 RGB, size x size x 3.
    """
    longest = max(pixels.shape[:2])
    pixels, factor = halved(pixels, size)
    scale = factor * size / longest
    # Where an odd last row or column was lost, its place stays blank.
    height, width = (min(max(round(side * scale), 1), size) for side in pixels.shape[:2])
    square = np.full((size, size, 3), _BLANK, np.uint8)
    square[:height, :width] = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    return square


def decode(heat: _Floats, boxes: _Floats, least: float) -> Iterator[Found]:
    """Reads the faces out of the network's maps.

    A frame is the mean of what the cells around the peak say, each weighted by its own probability:
    together they err less than the peak's cell alone.

    Args:
        heat: Logits of centres, G x G.
        boxes: By cell the way to the centre in cells, right and down, and the logarithm of the
            frame's side over the input's, G x G x 3.
        least: Least logit.

    Yields:
        Faces by falling logit, frames in pixels of the network's input; two may be the same.
    """
    highest = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((heat == highest) & (heat >= least))
    for peak in np.argsort(-heat[rows, columns], kind="stable"):
        row, column = int(rows[peak]), int(columns[peak])
        yield Found(_frame(heat, boxes, row, column), float(heat[row, column]))


def _frame(heat: _Floats, boxes: _Floats, row: int, column: int) -> Box:
    cells = heat.shape[0]
    extent = boxes[row, column, 2]
    reach = int(_REACH * cells * exp(min(extent, 0.0)))
    top, left = max(row - reach, 0), max(column - reach, 0)
    around = np.s_[top : row + reach + 1, left : column + reach + 1]
    weights = 1 / (1 + np.exp(-np.clip(heat[around], -_CERTAIN, _CERTAIN)))
    least = TELLING * weights[row - top, column - left]
    # Cells that tell quite another size are those of another face.
    weights[(weights < least) | (np.abs(boxes[around][..., 2] - extent) > _OTHER_SIZE)] = 0
    weights /= weights.sum()
    right, down, extent = np.tensordot(weights, boxes[around], 2).tolist()
    x = right + left + 0.5 + float(weights.sum(axis=0) @ np.arange(weights.shape[1]))
    y = down + top + 0.5 + float(weights.sum(axis=1) @ np.arange(weights.shape[0]))
    side = cells * exp(min(extent, 1.0))
    return Box(*(STRIDE * value for value in (x - side / 2, y - side / 2, side, side)))


def suppress_overlaps(found: Iterable[Found], known: Iterable[Box] = ()) -> list[Found]:
    """Sorts faces by falling logit and leaves out those that a surer or a known one covers."""
    frames, kept = list(known), []
    for face in sorted(found, key=lambda face: -face.logit):
        if not any(overlaps(other, face.frame) for other in frames):
            kept.append(face)
            frames.append(face.frame)
    return kept
