"""Face regions of the Metadata Working Group: normalised boxes in the stored picture."""

from __future__ import annotations

from typing import NamedTuple

from image_gender_classifier.results import Box, Stored, compute_iou

_SAME_FACE = 0.4  # overlap (intersection over union) of two boxes


class Region(NamedTuple):
    """A rectangle as fractions of a picture's stored width and height.

    Attributes:
        x: Centre, from the left edge.
        y: Centre, from the top edge.
        width: Width.
        height: Height.
    """

    x: float
    y: float
    width: float
    height: float


def locate_region(box: Box, stored: Stored) -> Region | None:
    """Returns the region of a box; None if the box is outside the picture.

    The part of the box beyond the picture is cut off, as readers expect fractions.

    Args:
        box: The box in pixels of the upright picture.
        stored: How the picture is stored.
    """
    turned = stored.orientation >= 5
    width, height = (stored.height, stored.width) if turned else (stored.width, stored.height)
    left, right = _clip(box.x, box.x + box.width, width)
    top, bottom = _clip(box.y, box.y + box.height, height)
    if left >= right or top >= bottom:
        return None
    x, y = _turn_back((left + right) / 2, (top + bottom) / 2, stored.orientation)
    across, down = right - left, bottom - top
    return Region(x, y, down, across) if turned else Region(x, y, across, down)


def is_same_face(one: Region, other: Region) -> bool:
    """Returns whether two regions overlap so much that they show the same face."""
    return compute_iou(_make_box(one), _make_box(other)) >= _SAME_FACE


def _turn_back(x: float, y: float, orientation: int) -> tuple[float, float]:
    """Returns the place in the stored picture of a point in the upright one, all as fractions."""
    places = {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (y, 1 - x),
        7: (1 - y, 1 - x),
        8: (1 - y, x),
    }
    return places.get(orientation, (x, y))


def _clip(start: float, end: float, length: int) -> tuple[float, float]:
    return max(start, 0) / length, min(end, length) / length


def _make_box(region: Region) -> Box:
    """Returns a region as a box, in its unit."""
    x, y, width, height = region
    return Box(x - width / 2, y - height / 2, width, height)
