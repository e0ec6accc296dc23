"""Labels of candidates: whether one is a face, and where the face's frame is."""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from typing import NamedTuple

from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.detection.turning import turn_box_back
from image_gender_classifier.results import Box, Turn, compute_iou
from image_gender_classifier.train.common.frame_correction import compute_correction

# IoU of a candidate's frame and that of a face: from the first it is that face, below the second it
# is something else, and from the third it can be corrected. Between the first two it has no label.
_FACE_IOU, _OTHER_IOU, _FRAME_IOU = 0.4, 0.2, 0.25

INVERSE_TURNS: dict[Turn, Turn] = {0: 0, 90: 270, 180: 180, 270: 90}
"""The turn that undoes each turn."""


class Label(NamedTuple):
    """The label of a candidate. Distances are in sides of its frame, as seen in its own turn.

    Attributes:
        is_face: Whether it is an upright face; None if that is not clear.
        right: Distance of the face's centre to the right of the candidate's; 0 without a face.
        down: Likewise, down.
        log_side: Natural logarithm of the side of the face's frame over the candidate's.
        has_frame: Whether the three numbers above are known.
    """

    is_face: bool | None
    right: float = 0.0
    down: float = 0.0
    log_side: float = 0.0
    has_frame: bool = False


def label_candidate(
    candidate: Detection, frames: Iterable[Box], turn: Turn, width: int, height: int
) -> Label:
    """Compares a candidate with the true frames of a picture.

    Args:
        candidate: The candidate, frame in pixels of the picture.
        frames: The true frames in pixels of the picture.
        turn: Degrees by which the picture must be turned clockwise so that its faces are upright.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
    """
    overlap, best = max(
        ((compute_iou(candidate.frame, frame), frame) for frame in frames),
        default=(0.0, None),
        key=lambda pair: pair[0],
    )
    if best is None or overlap < _OTHER_IOU or candidate.turn != turn:
        return Label(is_face=False)
    seen, true = (turn_box(box, turn, width, height) for box in (candidate.frame, best))
    is_face = True if overlap >= _FACE_IOU else None
    return Label(is_face, *compute_correction(seen, true), overlap >= _FRAME_IOU)


def turn_box(box: Box, turn: Turn, width: int, height: int) -> Box:
    """Returns a box of a picture in pixels of the picture turned clockwise.

    Args:
        box: The box in pixels of the picture.
        turn: Degrees by which the picture is turned clockwise.
        width: Width of the picture in pixels, before it is turned.
        height: Its height.
    """
    turned = (width, height) if turn in (0, 180) else (height, width)
    return turn_box_back(box, INVERSE_TURNS[turn], *turned)


def move_label(label: Label, right: float, down: float, log_side: float) -> Label:
    """Returns the label of a candidate whose frame is moved, and then enlarged around its centre.

    Args:
        label: The label of the candidate.
        right: How far it is moved to the right, in sides of its frame.
        down: Likewise, down.
        log_side: Natural logarithm of the factor of its side.
    """
    side = exp(log_side)
    return label._replace(
        right=(label.right - right) / side,
        down=(label.down - down) / side,
        log_side=label.log_side - log_side,
    )
