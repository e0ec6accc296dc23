"""Rules that decide whether a detection is correct; each test set with faces uses one."""

from __future__ import annotations

from math import dist

from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes.trials import (
    Detection,
    Point,
    Rule,
    box_centre,
    box_side,
)

_TIGHT_SIDE = 0.6  # minimum side of a box in a tight crop, over the crop's side
_FRAME_DISTANCE = 0.25  # maximum distance of the frames' centres, over the true side


def accept_near(point: Point, distance: float, sides: tuple[float, float]) -> Rule:
    """Returns a rule that accepts a bounding box near a point, with a side in a given range.

    Args:
        point: The point (x, y) in pixels.
        distance: Maximum distance of the box's centre from the point in pixels.
        sides: Minimum and maximum side of the box in pixels (`box_side`), inclusive.
    """

    def is_correct(found: Detection) -> bool:
        close = dist(box_centre(found.box), point) <= distance
        return close and sides[0] <= box_side(found.box) <= sides[1]

    return is_correct


def accept_inside(area: Box) -> Rule:
    """Returns a rule that accepts a bounding box whose centre is inside `area` or on its edge."""

    def is_correct(found: Detection) -> bool:
        x, y = box_centre(found.box)
        across = area.x <= x <= area.x + area.width
        return across and area.y <= y <= area.y + area.height

    return is_correct


def accept_in_crop(width: int, height: int) -> Rule:
    """Returns a rule for face crops, which accepts a large bounding box in the middle.

    The centre must be in the middle half of the crop, horizontally and vertically, and the side at
    least 0.6 of the crop's shorter side.

    Args:
        width: Width of the crop in pixels.
        height: Height of the crop in pixels.
    """
    middle = accept_inside(Box(width / 4, height / 4, width / 2, height / 2))
    least = _TIGHT_SIDE * min(width, height)

    def is_correct(found: Detection) -> bool:
        return middle(found) and box_side(found.box) >= least

    return is_correct


def accept_frame(frame: Box) -> Rule:
    """Returns a rule that accepts a frame whose centre is close to the centre of the true frame.

    The maximum distance is a quarter of the true side. The rule ignores the detected frame's side.

    Args:
        frame: The true frame.
    """
    true_centre, reach = box_centre(frame), _FRAME_DISTANCE * box_side(frame)

    def is_correct(found: Detection) -> bool:
        return dist(box_centre(found.frame), true_centre) <= reach

    return is_correct
