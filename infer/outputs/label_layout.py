"""Places labels next to boxes, so that none covers a box or another label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Rectangles = NDArray[np.int64]  # n x 4: the fields of `Rectangle`
_FAR = 2**31  # pixels


class Rectangle(NamedTuple):
    """A rectangle in whole pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int


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
    empty = Rectangle(0, 0, 0, 0)  # overlaps nothing
    taken = np.array([*boxes, *(empty for _ in labels)], np.int64).reshape(-1, 4)
    places = []
    for number, label in enumerate(labels, len(boxes)):
        nearby = _places_nearby(label, picture)
        free = (place for place in nearby if not _find_overlaps(place, taken).any())
        place = next(free, None) or _place_below(label, picture, taken)
        places.append(place)
        taken[number] = place
    return places


def _find_overlaps(place: Rectangle, taken: _Rectangles) -> NDArray[np.bool_]:
    """Returns for each rectangle whether it has a pixel in common with a place."""
    left, top, right, bottom = taken.T
    across = np.minimum(right, place.right) > np.maximum(left, place.left)
    down = np.minimum(bottom, place.bottom) > np.maximum(top, place.top)
    return np.asarray(across & down)


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


def _place_below(label: Label, picture: Rectangle, taken: _Rectangles) -> Rectangle:
    """Returns the topmost free place below the picture, under the box of a label."""
    x = max(min(label.box.left, picture.right - label.width), 0)
    column = Rectangle(x, picture.bottom, x + label.width, _FAR)
    y = picture.bottom
    for top, bottom in sorted(taken[_find_overlaps(column, taken)][:, [1, 3]].tolist()):
        if top >= y + label.height:
            break
        y = max(y, bottom)
    return Rectangle(x, y, x + label.width, y + label.height)
