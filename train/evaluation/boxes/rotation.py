"""Rotation of pictures around their centre, and of detections back to the upright picture.

Rules apply to the upright picture, so detections are rotated back. Only the centres of boxes
rotate; boxes stay parallel to the axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, cos, radians, sin
from typing import cast

import cv2
import numpy as np

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes.trials import Found, Point, centre, centred


@dataclass(frozen=True, slots=True)
class Turn:
    """A rotation; sizes are width and height in pixels.

    Attributes:
        degrees: Angle, counterclockwise on screen.
        upright: Size of the upright picture.
        turned: Size of the rotated canvas; both have the same centre.
    """

    degrees: float
    upright: tuple[float, float]
    turned: tuple[float, float]


def forth(point: Point, turn: Turn) -> Point:
    """Maps a point of the upright picture to the rotated one."""
    return _about(point, turn.degrees, turn.upright, turn.turned)


def back(point: Point, turn: Turn) -> Point:
    """Maps a point of the rotated picture to the upright one."""
    return _about(point, -turn.degrees, turn.turned, turn.upright)


def found_back(found: Found, turn: Turn) -> Found:
    """Maps a detection in the rotated picture to the upright one."""
    return Found(_box_back(found.box, turn), _box_back(found.frame, turn), found.stage)


def plan(width: int, height: int, face: Box, degrees: float) -> Turn:
    """Chooses the canvas: the picture's size, enlarged if the face would leave it.

    Args:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        face: The face's true box; parts outside the picture do not count.
        degrees: Angle, counterclockwise.
    """
    size = (width, height)
    in_place = Turn(degrees, size, size)
    corners = [
        forth((min(max(x, 0), width), min(max(y, 0), height)), in_place)
        for x in (face.x, face.x + face.width)
        for y in (face.y, face.y + face.height)
    ]
    # The centre stays fixed, so both sides grow by the same amount; 1e-6 keeps rounding errors
    # from adding a pixel.
    needed_width = 2 * max(abs(x - width / 2) for x, _ in corners) - 1e-6
    needed_height = 2 * max(abs(y - height / 2) for _, y in corners) - 1e-6
    return Turn(degrees, size, (max(width, ceil(needed_width)), max(height, ceil(needed_height))))


def turned(picture: Picture, turn: Turn) -> Picture:
    """Rotates a picture; repeats its border to fill the canvas."""
    scale = picture.scale
    height, width = picture.pixels.shape[:2]
    canvas = (max(round(turn.turned[0] / scale), 1), max(round(turn.turned[1] / scale), 1))
    shrunk = Turn(turn.degrees, (width, height), canvas)
    pixels = _warp(picture.pixels, shrunk, canvas)
    return Picture(pixels, round(turn.turned[0]), round(turn.turned[1]))


def _warp(pixels: Pixels, turn: Turn, canvas: tuple[int, int]) -> Pixels:
    # OpenCV's origin is the middle of the first pixel, that of boxes its corner.
    origin, right, down = (
        np.array(forth(point, turn)) for point in ((0.5, 0.5), (1.5, 0.5), (0.5, 1.5))
    )
    matrix = np.column_stack([right - origin, down - origin, origin - 0.5])
    turned_pixels = cv2.warpAffine(
        pixels, matrix, canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Pixels, turned_pixels)


def _about(
    point: Point, degrees: float, before: tuple[float, float], after: tuple[float, float]
) -> Point:
    """Rotates a point around the centre of one canvas and moves it to another canvas."""
    right, down = point[0] - before[0] / 2, point[1] - before[1] / 2
    cosine, sine = cos(radians(degrees)), sin(radians(degrees))
    return (
        after[0] / 2 + cosine * right + sine * down,
        after[1] / 2 - sine * right + cosine * down,
    )


def _box_back(box: Box, turn: Turn) -> Box:
    return centred(back(centre(box), turn), box.width, box.height)
