"""Rules that decide whether a detection is correct; each test set has one."""

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
    """Returns a rule that accepts a box near a point, with a side in a given range.

    Args:
        point: The point (x, y) in pixels.
        distance: Maximum distance of the box's centre from the point in pixels.
        sides: Minimum and maximum side of the box in pixels.
    """

    def is_correct(found: Detection) -> bool:
        close = dist(box_centre(found.box), point) <= distance
        return close and sides[0] <= box_side(found.box) <= sides[1]

    return is_correct


def accept_inside(area: Box) -> Rule:
    """Returns a rule that accepts a box whose centre is inside `area`."""

    def is_correct(found: Detection) -> bool:
        x, y = box_centre(found.box)
        across = area.x <= x <= area.x + area.width
        return across and area.y <= y <= area.y + area.height

    return is_correct


def accept_in_crop(width: int, height: int) -> Rule:
    """Returns a rule for face crops; it accepts a large box with its centre in the middle half.

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

    The maximum distance is a quarter of the true side. The side of the detected frame is ignored.
    """
    true_centre, reach = box_centre(frame), _FRAME_DISTANCE * box_side(frame)

    def is_correct(found: Detection) -> bool:
        return dist(box_centre(found.frame), true_centre) <= reach

    return is_correct
