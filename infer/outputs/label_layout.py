"""Places labels next to boxes, so that none covers a box or another label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Rectangle(NamedTuple):
    """A rectangle in whole pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Rectangle) -> bool:
        """Returns whether the rectangles have a pixel in common."""
        across = min(self.right, other.right) > max(self.left, other.left)
        return across and min(self.bottom, other.bottom) > max(self.top, other.top)


class Label(NamedTuple):
    """A label to place.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        box: The box that it belongs to.
    """

    width: int
    height: int
    box: Rectangle


def place_labels(
    labels: Sequence[Label], boxes: Sequence[Rectangle], width: int, height: int
) -> list[Rectangle]:
    """Returns a place for each label, in order.

    A label is next to its box. If there is no room for it in the picture, it is below the picture,
    under its box.

    Args:
        labels: The labels, the most important first.
        boxes: What labels must not cover.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
    """
    picture = Rectangle(0, 0, width, height)
    taken = list(boxes)
    for label in labels:
        for place in (*_places_nearby(label, picture), *_places_below(label, picture, taken)):
            if not any(map(place.overlaps, taken)):
                taken.append(place)
                break
    return taken[len(boxes) :]


def _places_nearby(label: Label, picture: Rectangle) -> Iterator[Rectangle]:
    """Yields the places in the picture that touch the box of a label."""
    box, (wide, high, _) = label.box, label
    across = (box.left, box.right - wide)
    down = (box.top, box.bottom - high)
    corners = (
        *((x, box.bottom) for x in across),
        *((x, box.top - high) for x in across),
        *((box.right, y) for y in down),
        *((box.left - wide, y) for y in down),
    )
    for x, y in corners:
        beside = y < box.bottom and y + high > box.top
        # Moved into the picture along the edge of the box, but not away from it.
        left = x if beside else max(min(x, picture.right - wide), 0)
        top = max(min(y, picture.bottom - high), 0) if beside else y
        if 0 <= left <= picture.right - wide and 0 <= top <= picture.bottom - high:
            yield Rectangle(left, top, left + wide, top + high)


def _places_below(
    label: Label, picture: Rectangle, taken: Sequence[Rectangle]
) -> Iterator[Rectangle]:
    """Yields the places below the picture, downwards; the last one is free."""
    x = max(min(label.box.left, picture.right - label.width), 0)
    for y in sorted({picture.bottom, *(each.bottom for each in taken)}):
        if y >= picture.bottom:
            yield Rectangle(x, y, x + label.width, y + label.height)
