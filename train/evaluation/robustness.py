"""Degradations of a face: small uploads, poor light, rotation and displaced boxes.

A degradation moves the face's square, changes its pixels, or both. The crop is resized to the
network's input size afterwards, so the effect does not depend on that size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier import pipeline
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.common import quality
from image_gender_classifier.train.common.cutting import CutCrop


def _same_square(square: Box) -> Box:
    return square


def _same_pixels(face: Pixels) -> Pixels:
    return face


@dataclass(frozen=True, slots=True)
class Degradation:
    """A degradation of a face.

    Attributes:
        name: Name in the report.
        place: Maps the face's square to the square to cut.
        change: Maps the face's pixels (uint8 RGB, S x S x 3) to degraded ones of any side.
    """

    name: str
    place: Callable[[Box], Box] = _same_square
    change: Callable[[Pixels], Pixels] = _same_pixels


def by(detector: Detector, degradations: Sequence[Degradation]) -> CutCrop:
    """Gives a function that cuts one crop per degradation (uint8 RGB, V x S x S x 3)."""

    def cut(path: Path, size: int) -> Pixels | None:
        picture = decoding.read(path, decoding.WORKING_SIDE)
        square = pipeline.find_frame(picture, detector)
        if square is None:
            return None
        return np.stack([degraded(picture.pixels, square, way, size) for way in degradations])

    return cut


def degraded(pixels: Pixels, square: Box, way: Degradation, size: int) -> Pixels:
    """Cuts a degraded face out of a picture.

    Args:
        pixels: uint8 RGB, H x W x 3.
        square: The face's frame.
        way: The degradation.
        size: Side of the crop in pixels.

    Returns:
        uint8 RGB, size x size x 3.
    """
    placed = way.place(square)
    if way.change is _same_pixels:
        return geometry.crop(pixels, placed, size)
    face = way.change(geometry.crop(pixels, *_on_whole_pixels(placed)))
    return geometry.crop(face, geometry.whole(*face.shape[:2]), size)


def _on_whole_pixels(square: Box) -> tuple[Box, int]:
    """Aligns a square to whole pixels, to cut it without resampling; gives it and its side."""
    side = max(round(square.width), 1)
    left, top = (round(start + (square.width - side) / 2) for start in (square.x, square.y))
    return Box(left, top, side, side), side


def shift(square: Box, right: float, down: float) -> Box:
    """Shifts a square by fractions of its side."""
    side = square.width
    return Box(square.x + right * side, square.y + down * side, side, side)


def scale(square: Box, factor: float) -> Box:
    """Scales a square around its centre."""
    side = square.width * factor
    margin = (square.width - side) / 2
    return Box(square.x + margin, square.y + margin, side, side)


def shrink(face: Pixels, side: int) -> Pixels:
    """Shrinks a face to at most `side` pixels per side."""
    return face if len(face) <= side else quality.shrink(face, side, side)


def turn(face: Pixels, degrees: float) -> Pixels:
    """Rotates a face counterclockwise around its centre; repeats the border."""
    side = len(face)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1.0)
    return cast(
        Pixels,
        cv2.warpAffine(
            face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
    )


def darken(face: Pixels, factor: float) -> Pixels:
    """Multiplies all pixel values by a factor from 0 to 1."""
    darker: npt.NDArray[np.float64] = np.rint(face * factor)
    return darker.astype(np.uint8)


CLEAN = Degradation("original")
DEGRADATIONS = (
    Degradation("32 pixels a side", change=partial(shrink, side=32)),
    Degradation("20 pixels a side", change=partial(shrink, side=20)),
    Degradation("JPEG of quality 20", change=partial(quality.compress, quality=20)),
    Degradation("rotated 20° left", change=partial(turn, degrees=20)),
    Degradation("rotated 20° right", change=partial(turn, degrees=-20)),
    Degradation("grey", change=quality.grey),
    Degradation("40 % darker", change=partial(darken, factor=0.6)),
    Degradation("box shifted 10 % left", place=partial(shift, right=-0.1, down=0.0)),
    Degradation("box shifted 10 % right", place=partial(shift, right=0.1, down=0.0)),
    Degradation("box shifted 10 % up", place=partial(shift, right=0.0, down=-0.1)),
    Degradation("box shifted 10 % down", place=partial(shift, right=0.0, down=0.1)),
    Degradation("box scaled by 0.9", place=partial(scale, factor=0.9)),
    Degradation("box scaled by 1.1", place=partial(scale, factor=1.1)),
)
