"""Rotates pictures around their centre, and maps detections back to the upright picture.

Rules for correct detections apply to the upright picture, so detections are rotated back. Only the
centre of a box rotates; its sides stay parallel to the axes.
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
from image_gender_classifier.train.evaluation.boxes.trials import (
    Detection,
    Point,
    box_around,
    box_centre,
)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A rotation around the common centre of the upright picture and the rotated canvas.

    Attributes:
        degrees: Angle, counterclockwise as displayed.
        upright: Width and height of the upright picture in pixels.
        canvas: Width and height of the rotated picture in pixels.
    """

    degrees: float
    upright: tuple[float, float]
    canvas: tuple[float, float]


def rotate_point(point: Point, rotation: Rotation) -> Point:
    """Maps a point (x, y) from the upright picture to the rotated picture, in pixels."""
    return _rotate_about_centre(point, rotation.degrees, rotation.upright, rotation.canvas)


def unrotate_point(point: Point, rotation: Rotation) -> Point:
    """Maps a point (x, y) from the rotated picture to the upright picture, in pixels."""
    return _rotate_about_centre(point, -rotation.degrees, rotation.canvas, rotation.upright)


def unrotate_detection(found: Detection, rotation: Rotation) -> Detection:
    """Maps a detection from the rotated picture to the upright picture; sides stay the same."""
    return Detection(
        _unrotate_box(found.box, rotation), _unrotate_box(found.frame, rotation), found.stage
    )


def plan_rotation(width: int, height: int, face: Box, degrees: float) -> Rotation:
    """Plans a rotation; the canvas has the picture's size, or more if the face would not fit.

    Args:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        face: Bounding box of the face in pixels; parts outside the picture are ignored.
        degrees: Angle, counterclockwise as displayed.

    Returns:
        The rotation, for `rotate_picture` and `unrotate_detection`.
    """
    size = (width, height)
    in_place = Rotation(degrees, size, size)
    corners = [
        rotate_point((min(max(x, 0), width), min(max(y, 0), height)), in_place)
        for x in (face.x, face.x + face.width)
        for y in (face.y, face.y + face.height)
    ]
    # The centre is fixed, so opposite edges move by the same amount; 1e-6 prevents rounding errors
    # from adding a pixel.
    needed_width = 2 * max(abs(x - width / 2) for x, _ in corners) - 1e-6
    needed_height = 2 * max(abs(y - height / 2) for _, y in corners) - 1e-6
    return Rotation(
        degrees, size, (max(width, ceil(needed_width)), max(height, ceil(needed_height)))
    )


def rotate_picture(picture: Picture, rotation: Rotation) -> Picture:
    """Rotates a picture; the rest of the canvas is filled with replicated edge pixels.

    Args:
        picture: The picture, whose size is `rotation.upright`; its pixels may be downscaled.
        rotation: The rotation.

    Returns:
        The rotated picture, whose size is `rotation.canvas`, with the same scale.
    """
    scale = picture.scale
    height, width = picture.pixels.shape[:2]
    canvas = (max(round(rotation.canvas[0] / scale), 1), max(round(rotation.canvas[1] / scale), 1))
    shrunk = Rotation(rotation.degrees, (width, height), canvas)
    pixels = _warp(picture.pixels, shrunk, canvas)
    return Picture(pixels, round(rotation.canvas[0]), round(rotation.canvas[1]))


def _warp(pixels: Pixels, rotation: Rotation, canvas: tuple[int, int]) -> Pixels:
    """Rotates pixels (uint8 RGB, H x W x 3) onto a canvas of the given width and height."""
    # OpenCV's origin is the centre of the first pixel; the origin of boxes is its corner.
    origin, right, down = (
        np.array(rotate_point(point, rotation)) for point in ((0.5, 0.5), (1.5, 0.5), (0.5, 1.5))
    )
    matrix = np.column_stack([right - origin, down - origin, origin - 0.5])
    rotated = cv2.warpAffine(
        pixels, matrix, canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Pixels, rotated)


def _rotate_about_centre(
    point: Point, degrees: float, before: tuple[float, float], after: tuple[float, float]
) -> Point:
    """Rotates a point around the centre of a canvas and maps it to a canvas of another size."""
    right, down = point[0] - before[0] / 2, point[1] - before[1] / 2
    cosine, sine = cos(radians(degrees)), sin(radians(degrees))
    return (
        after[0] / 2 + cosine * right + sine * down,
        after[1] / 2 - sine * right + cosine * down,
    )


def _unrotate_box(box: Box, rotation: Rotation) -> Box:
    return box_around(unrotate_point(box_centre(box), rotation), box.width, box.height)
