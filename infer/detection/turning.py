"""Quarter turns of pictures that lie on their side or upside down."""

from __future__ import annotations

from typing import cast

import cv2

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, Turn

QUARTER_TURNS: tuple[Turn, ...] = (90, 180, 270)  # in this order, the network finds most faces
_ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def turn_pixels(pixels: Pixels, turn: Turn) -> Pixels:
    """Returns pixels (uint8, H x W x C) turned clockwise."""
    return cast(Pixels, cv2.rotate(pixels, _ROTATIONS[turn])) if turn else pixels


def turn_box_back(box: Box, turn: Turn, width: float, height: float) -> Box:
    """Maps a box in the turned picture to the original one.

    Args:
        box: The box, in pixels of the turned picture.
        turn: Degrees by which the picture was turned clockwise.
        width: Width of the original picture in pixels.
        height: Height of the original picture in pixels.
    """
    if turn == 0:
        return box
    if turn == 90:
        return Box(box.y, height - box.x - box.width, box.height, box.width)
    if turn == 180:
        return Box(width - box.x - box.width, height - box.y - box.height, box.width, box.height)
    return Box(width - box.y - box.height, box.x, box.height, box.width)


def turn_shift_back(right: float, down: float, turn: Turn) -> tuple[float, float]:
    """Maps a shift in the turned picture to the original one.

    Args:
        right: Shift to the right in the turned picture.
        down: Shift down.
        turn: Degrees by which the picture was turned clockwise.

    Returns:
        The shift to the right and down in the original picture.
    """
    if turn == 0:
        return right, down
    if turn == 90:
        return down, -right
    return (-right, -down) if turn == 180 else (-down, right)
