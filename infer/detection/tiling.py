"""Tiles of a picture for the face detector network, and letterboxing to its input size.

A tile is the square of the picture on which the network runs once. The usual input shows the whole
picture, or the tile of a candidate. A second pass uses larger inputs, because one large tile has
less overlap than several small ones. Sheets of turned views are put together in `tile_network`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple, cast

import cv2
import numpy as np

from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.imaging.resizing import halve_repeatedly
from image_gender_classifier.manifest.schema import INPUT_STEP
from image_gender_classifier.results import Box, Turn

# Of the picture's longer side, in the second of two passes. In small pictures it is larger, but a
# pass that shows more than the second fraction would find little more than the first pass.
_SECOND_SIDE, _LARGEST_SECOND_SIDE = 0.5, 0.58
# In a search for smaller faces, the side is this fraction of the one in the pass before.
_NEXT_SIDE = 0.6
_MIN_SECOND_SIDE = 0.3  # of the longer side; very long pictures would need too many smaller tiles
MIN_TILE_SIDE = 0.75  # of the network input's side: enlarging a smaller tile adds no information
GREY = 127
"""Value of the pixels beyond a picture; becomes 0 when the network normalises its input."""

_LETTERBOX_INTERPOLATION = cv2.INTER_LINEAR


class Tile(NamedTuple):
    """A square of a picture; may extend beyond the picture's right and bottom edges.

    Attributes:
        left: Left edge in pixels.
        top: Top edge in pixels.
        side: Width and height in pixels.
    """

    left: int
    top: int
    side: int


def choose_pass_sides(
    height: int,
    width: int,
    smallest_face: float | None,
    reliable_face: float,
    input_size: int,
    second_pass: bool = False,
) -> Iterator[int]:
    """Yields for each pass over a picture how many of its pixels the usual input shows.

    The first pass shows the whole picture. Later ones show no more than the picture's shorter side,
    except in very long pictures, which would need too many tiles.

    Args:
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
        smallest_face: Side of the smallest face to detect, as a fraction of the picture's shorter
            side; None for the first pass only, or with `second_pass` the first two.
        reliable_face: Side of the smallest face that the network detects reliably, as a fraction of
            its usual input.
        input_size: Side of the usual input in pixels.
        second_pass: Without `smallest_face`, whether there is a second pass.

    Yields:
        Sides of squares in pixels, in descending order.
    """
    side, shorter = max(height, width), min(height, width)
    yield side
    ratio = _SECOND_SIDE if smallest_face is None else _NEXT_SIDE
    second = max(min(ceil(ratio * side), shorter), ceil(_MIN_SECOND_SIDE * side))
    last = ceil(MIN_TILE_SIDE * input_size)
    if smallest_face is None:
        second = max(second, last)
        if second_pass and second <= _LARGEST_SECOND_SIDE * side:
            yield second
        return
    last = max(ceil(smallest_face * shorter / reliable_face), last)
    while side > last:
        # side - 1: rounding up alone would never reach one pixel.
        side = max(min(second, ceil(_NEXT_SIDE * side), side - 1), last)
        yield side


def make_tiles(height: int, width: int, side: int, largest: float = 1.0) -> Iterator[Tile]:
    """Yields square tiles that cover a picture.

    Neighbouring tiles overlap by at least a quarter of `side`. That is as much as the largest face
    of a pass, because the pass before detects larger ones (except in very long pictures).

    Args:
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
        side: Side of a square in pixels that the usual input shows.
        largest: Side of the largest input, in sides of the usual one. A tile is smaller if the
            picture is. If the tile exceeds the height or width, it extends beyond the picture, and
            the letterbox functions pad it.
    """
    longer = max(height, width)
    tile = max(min(int(largest * side), longer), side)
    if tile >= longer:  # the usual case
        yield Tile(0, 0, tile)
        return
    for top in _tile_offsets(height, tile, side / 4):
        for left in _tile_offsets(width, tile, side / 4):
            yield Tile(left, top, tile)


def _tile_offsets(extent: int, side: int, overlap: float) -> list[int]:
    """Returns the left (or top) edge of each tile along one axis, in ascending order.

    Args:
        extent: Width (or height) of the picture in pixels.
        side: Side of a tile in pixels.
        overlap: Minimum overlap of neighbouring tiles in pixels.
    """
    count = max(ceil((extent - side) / (side - overlap)), 0) + 1
    return [round(index * max(extent - side, 0) / max(count - 1, 1)) for index in range(count)]


def make_face_tile(frame: Box, margin: float, height: int, width: int) -> Tile:
    """Returns the tile around a face, shifted into the picture as far as possible.

    Shifting avoids padding, with which the network is less accurate. The side of the tile is at
    most the picture's longer side.

    Args:
        frame: Frame of the face in pixels of the picture.
        margin: Side of the tile divided by the side of the frame.
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
    """
    side = max(min(ceil(margin * frame.width), max(height, width)), 1)
    left, top = (
        min(max(round(start + (frame.width - side) / 2), 0), max(extent - side, 0))
        for start, extent in ((frame.x, width), (frame.y, height))
    )
    return Tile(left, top, side)


def letterbox(pixels: Pixels, size: int, turn: Turn = 0) -> Pixels:
    """Resizes a picture into the top left corner of a grey square, keeping its aspect ratio.

    Args:
        pixels: uint8 RGB, H x W x 3.
        size: Side of the square in pixels.
        turn: Degrees by which the picture is turned clockwise.

    Returns:
        uint8 RGB, size x size x 3.
    """
    return pad(turn_pixels(shrink_to_fit(pixels, size), turn), size, size)


def letterbox_large(pixels: Pixels, size: int, turn: Turn = 0) -> Pixels:
    """Resizes a picture like `letterbox`, and pads it as little as possible.

    Returns:
        uint8 RGB, with a height and a width that are multiples of `INPUT_STEP`.
    """
    turned = turn_pixels(shrink_to_fit(pixels, size), turn)
    height, width = (-(-side // INPUT_STEP) * INPUT_STEP for side in turned.shape[:2])
    return pad(turned, height, width)


def shrink_to_fit(pixels: Pixels, size: int) -> Pixels:
    """Resizes a picture so that its longer side becomes `size` pixels.

    Args:
        pixels: uint8 RGB, H x W x 3.
        size: Length of the longer side in pixels.

    Returns:
        uint8 RGB; one row or column less if halving dropped an odd one.
    """
    longest = max(pixels.shape[:2])
    pixels, factor = halve_repeatedly(pixels, size)
    scale = factor * size / longest
    height, width = (min(max(round(side * scale), 1), size) for side in pixels.shape[:2])
    resized = cv2.resize(pixels, (width, height), interpolation=_LETTERBOX_INTERPOLATION)
    return cast(Pixels, resized)


def pad(pixels: Pixels, height: int, width: int) -> Pixels:
    """Pads a picture with grey on the right and at the bottom.

    Args:
        pixels: uint8 RGB, not larger than the result.
        height: Height of the result in pixels.
        width: Width of the result in pixels.

    Returns:
        uint8 RGB, height x width x 3; `pixels` itself if it has this size.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    padded = np.full((height, width, 3), GREY, np.uint8)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    return padded
