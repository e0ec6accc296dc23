"""Rules that decide whether a detected face is correct; each set of pictures has one."""

from __future__ import annotations

from math import dist

from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes.trials import Found, Point, Rule, centre, side

_TIGHT_SIDE = 0.6  # minimum side of a box in a tight crop, over the crop's side
_FRAME_DISTANCE = 0.25  # maximum distance of the frames' centres, over the true side


def near(place: Point, distance: float, sides: tuple[float, float]) -> Rule:
    """Accepts a box whose centre is near a point and whose side is within bounds."""

    def is_right(found: Found) -> bool:
        close = dist(centre(found.box), place) <= distance
        return close and sides[0] <= side(found.box) <= sides[1]

    return is_right


def inside(area: Box) -> Rule:
    """Accepts a box whose centre lies inside an area."""

    def is_right(found: Found) -> bool:
        x, y = centre(found.box)
        across = area.x <= x <= area.x + area.width
        return across and area.y <= y <= area.y + area.height

    return is_right


def tight(width: int, height: int) -> Rule:
    """Accepts, in a face crop, a large box whose centre is in the middle half."""
    middle = inside(Box(width / 4, height / 4, width / 2, height / 2))
    least = _TIGHT_SIDE * min(width, height)

    def is_right(found: Found) -> bool:
        return middle(found) and side(found.box) >= least

    return is_right


def framed(frame: Box) -> Rule:
    """Accepts a frame whose centre is close to that of the true frame, regardless of its side."""
    true_centre, reach = centre(frame), _FRAME_DISTANCE * side(frame)

    def is_right(found: Found) -> bool:
        return dist(centre(found.frame), true_centre) <= reach

    return is_right
