"""What small uploads, poor light and loosely placed boxes do to a face, as pure functions.

A degradation moves the face's square, changes the pixels cut out of it, or both; only then is the
crop brought to the network's input size, as in use. So "20 pixels" means what it says whatever
the network takes, and a moved box shows what really lies beside the face.
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
    """One way for a face to come out worse.

    Attributes:
        name: What it does, for the report.
        place: From the face's square to the one that is cut instead.
        change: From the face's pixels (uint8 RGB, S x S x 3) to worse ones, of any side.
    """

    name: str
    place: Callable[[Box], Box] = _same_square
    change: Callable[[Pixels], Pixels] = _same_pixels


def by(detector: Detector, degradations: Sequence[Degradation]) -> CutCrop:
    """Gives the way of cutting that yields a crop a degradation (uint8 RGB, V x S x S x 3)."""

    def cut(path: Path, size: int) -> Pixels | None:
        picture = decoding.read(path, decoding.WORKING_SIDE)
        square = pipeline.find_frame(picture, detector)
        if square is None:
            return None
        return np.stack([degraded(picture.pixels, square, way, size) for way in degradations])

    return cut


def degraded(pixels: Pixels, square: Box, way: Degradation, size: int) -> Pixels:
    """Cuts a face out of a picture, worse than it is.

    Args:
        pixels: uint8 RGB, H x W x 3.
        square: The face's frame in it.
        way: What happens to the face.
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
    """Moves a square so that a crop of its own size is a copy; gives it with this size."""
    side = max(round(square.width), 1)
    left, top = (round(start + (square.width - side) / 2) for start in (square.x, square.y))
    return Box(left, top, side, side), side


def shift(square: Box, right: float, down: float) -> Box:
    """Shifts a square by shares of its side."""
    side = square.width
    return Box(square.x + right * side, square.y + down * side, side, side)


def scale(square: Box, factor: float) -> Box:
    """Scales a square about its centre."""
    side = square.width * factor
    margin = (square.width - side) / 2
    return Box(square.x + margin, square.y + margin, side, side)


def shrink(face: Pixels, side: int) -> Pixels:
    """Leaves a face no more than `side` pixels a side."""
    return face if len(face) <= side else quality.shrink(face, side, side)


def turn(face: Pixels, degrees: float) -> Pixels:
    """Turns a face counterclockwise about its centre; its border is repeated."""
    side = len(face)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1.0)
    return cast(
        Pixels,
        cv2.warpAffine(
            face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
    )


def darken(face: Pixels, factor: float) -> Pixels:
    """Multiplies every value."""
    darker: npt.NDArray[np.float64] = np.rint(face * factor)
    return darker.astype(np.uint8)


CLEAN = Degradation("none (as it is)")
DEGRADATIONS = (
    Degradation("32 pixels a side", change=partial(shrink, side=32)),
    Degradation("20 pixels a side", change=partial(shrink, side=20)),
    Degradation("JPEG of quality 20", change=partial(quality.compress, quality=20)),
    Degradation("turned 20° left", change=partial(turn, degrees=20)),
    Degradation("turned 20° right", change=partial(turn, degrees=-20)),
    Degradation("grey", change=quality.grey),
    Degradation("40 % darker", change=partial(darken, factor=0.6)),
    Degradation("box 10 % further left", place=partial(shift, right=-0.1, down=0.0)),
    Degradation("box 10 % further right", place=partial(shift, right=0.1, down=0.0)),
    Degradation("box 10 % further up", place=partial(shift, right=0.0, down=-0.1)),
    Degradation("box 10 % further down", place=partial(shift, right=0.0, down=0.1)),
    Degradation("box scaled by 0.9", place=partial(scale, factor=0.9)),
    Degradation("box scaled by 1.1", place=partial(scale, factor=1.1)),
)
