"""Heatmap decoding and non-maximum suppression (NMS) for the face detector network.

The network has no anchors: a peak of the heatmap is the centre of a face, as in CenterNet (Zhou et
al., "Objects as Points", 2019).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import exp
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.bounds import logit, sigmoid
from image_gender_classifier.detection.geometry import overlaps
from image_gender_classifier.results import Box, Turn

STRIDE = 8
"""Side of a cell of the output maps, in pixels of the input."""

VOTE_THRESHOLD = 0.3
"""Minimum probability of a cell that votes on the frame, as a fraction of the peak's."""

_VOTE_RADIUS = 0.3  # of the frame's side: cells this close to the peak vote
_MAX_SIZE_DIFFERENCE = 0.3  # between the logarithms of two predicted sides of the same face
_Floats = npt.NDArray[np.float32]


class Detection(NamedTuple):
    """A face that the network has detected.

    Attributes:
        frame: The network's square frame of the face. `FaceDetector` scales it to the classifier's.
        logit: Logit of the probability that it is a face.
        turn: Degrees by which the picture was turned clockwise when the network saw the face.
    """

    frame: Box
    logit: float
    turn: Turn = 0


def decode_heatmap(
    heatmap: _Floats, boxes: _Floats, min_logit: float, cells: int
) -> Iterator[Detection]:
    """Decodes the output maps of the network, without non-maximum suppression (NMS).

    Args:
        heatmap: Logits of face centres, float32, H x W cells.
        boxes: float32, H x W x 3: for each cell the offset from its centre to the face's, right and
            down, in cells, and the natural logarithm of the frame's side, whose unit is the side of
            the network's usual input.
        min_logit: Minimum logit of a peak.
        cells: Side of the usual input in cells.

    Yields:
        Detections in descending order of logit, frames in pixels of the input.
    """
    neighbourhood = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
    neighbourhood_max = cv2.dilate(heatmap, neighbourhood)
    peaks = ((heatmap == neighbourhood_max) & (heatmap >= min_logit)).nonzero()
    logits, rows, columns = (values.tolist() for values in (heatmap[peaks], *peaks))
    if not logits:
        return
    best_first = sorted(zip(logits, rows, columns, strict=True), key=lambda peak: -peak[0])
    for peak, row, column in best_first:
        yield Detection(_decode_frame(heatmap, boxes, peak, row, column, cells), peak)


def _decode_frame(
    heatmap: _Floats, boxes: _Floats, peak: float, row: int, column: int, cells: int
) -> Box:
    """Returns the frame of a heatmap peak, in pixels of the input.

    The frame is the mean of those that the cells around the peak predict, weighted by their
    probabilities. This is more accurate than the prediction of the peak alone.

    Args:
        heatmap: See `decode_heatmap`.
        boxes: See `decode_heatmap`.
        peak: Logit of the peak.
        row: Row of the peak.
        column: Column of the peak.
        cells: See `decode_heatmap`.
    """
    own_log_side = boxes.item(row, column, 2)
    radius = int(_VOTE_RADIUS * cells * exp(min(own_log_side, 0.0)))
    least = min(logit(VOTE_THRESHOLD * sigmoid(peak)), peak)  # rounded up for very low logits
    top, left = max(row - radius, 0), max(column - radius, 0)
    around = np.s_[top : row + radius + 1, left : column + radius + 1]
    voters = zip(heatmap[around].tolist(), boxes[around].tolist(), strict=True)
    # Not with arrays: they are slower for so few cells, and round differently on some processors.
    total = x = y = log_side = 0.0
    for cell_y, (logits, predictions) in enumerate(voters, top):
        for cell_x, (vote, (right, down, side)) in enumerate(
            zip(logits, predictions, strict=True), left
        ):
            # A cell that predicts a very different side belongs to another face.
            if vote >= least and abs(side - own_log_side) <= _MAX_SIZE_DIFFERENCE:
                weight = sigmoid(vote)
                total += weight
                x += weight * (cell_x + 0.5 + right)
                y += weight * (cell_y + 0.5 + down)
                log_side += weight * side
    return _make_frame(x / total, y / total, log_side / total, cells)


def _make_frame(x: float, y: float, log_side: float, cells: int) -> Box:
    """Returns the frame with a centre in cells, in pixels of the input."""
    side = cells * exp(min(log_side, 1.0))
    return Box(STRIDE * (x - side / 2), STRIDE * (y - side / 2), STRIDE * side, STRIDE * side)


def non_max_suppression(
    detections: Iterable[Detection], known: Iterable[Box] = ()
) -> list[Detection]:
    """Applies non-maximum suppression (NMS) by intersection over union (IoU) or containment.

    Drops each detection that overlaps a known frame or a detection with a higher logit (see
    `geometry.overlaps`).

    Args:
        detections: Detections in any order.
        known: Frames of faces that are already detected, in the same pixels.

    Returns:
        The remaining detections in descending order of logit.
    """
    frames, kept = list(known), []
    for detection in sorted(detections, key=lambda detection: -detection.logit):
        if not any(overlaps(other, detection.frame) for other in frames):
            kept.append(detection)
            frames.append(detection.frame)
    return kept
