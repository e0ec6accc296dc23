"""Degradations of a face: small uploads, poor light, rotation, displaced boxes, hidden hair.

A degradation moves the square to cut, changes the pixels, or both. The crop is resized to the
network's input size afterwards, so that the effect does not depend on that size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier import pipeline
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.train.common import quality, surroundings
from image_gender_classifier.train.common.cutting import CutCrop, find_labelled_face
from image_gender_classifier.train.datasets.sample import Sample

HairReplacement = Literal["blur", "colour"]

# Hidden hair: the ellipse that stays, in fractions of the side, and in pixels of a face with the
# side `_HIDING_SIDE` the standard deviations of its edge and of the blur outside.
_HIDING_SIDE = 96
_ELLIPSE_CENTRE, _ELLIPSE_HALF_AXES = (0.5, 0.5), (0.30, 0.37)
_EDGE_DEVIATION, _BLUR_DEVIATION = 2.0, 14.0


def _same_square(square: Box) -> Box:
    return square


def _same_pixels(face: Pixels) -> Pixels:
    return face


@dataclass(frozen=True, slots=True)
class Degradation:
    """A degradation of a face, for the evaluation of robustness.

    Attributes:
        name: Name in the report.
        move_square: Maps the face's square to the square to cut out, in pixels.
        change_pixels: Degrades the pixels of the face (uint8 RGB, S x S x 3); can change S.
    """

    name: str
    move_square: Callable[[Box], Box] = _same_square
    change_pixels: Callable[[Pixels], Pixels] = _same_pixels


def make_degraded_crop_cutter(detector: Detector, degradations: Sequence[Degradation]) -> CutCrop:
    """Returns a function that detects the labelled face and cuts one crop per degradation.

    The function returns uint8 RGB, V x S x S x 3, or None if there is no face. It raises
    UnreadablePicture if the picture cannot be decoded, and ModelError if a model of the detector
    cannot be run.

    Args:
        detector: Detects the faces.
        degradations: The V degradations.
    """

    def cut(sample: Sample, size: int) -> Pixels | None:
        picture = decoding.read(sample.path, decoding.WORKING_SIDE)
        face = find_labelled_face(picture, detector, sample)
        if face is None:
            return None
        square = pipeline.compute_frame(picture, face, detector)
        return np.stack(
            [
                cut_degraded_crop(picture.pixels, square, way, size, face.turn)
                for way in degradations
            ]
        )

    return cut


def cut_degraded_crop(
    pixels: Pixels, square: Box, degradation: Degradation, size: int, turn: Turn = 0
) -> Pixels:
    """Cuts a degraded crop out of a picture.

    Args:
        pixels: The picture, uint8 RGB, H x W x 3.
        square: The square around the face that inference would cut out, in pixels.
        degradation: The degradation.
        size: Side of the crop in pixels.
        turn: The turn of the face, as in `results.Face`.

    Returns:
        The crop, turned upright, uint8 RGB, size x size x 3.
    """
    placed = degradation.move_square(square)
    if degradation.change_pixels is _same_pixels:
        return turn_pixels(geometry.cut_crop(pixels, placed, size), turn)
    face = turn_pixels(geometry.cut_crop(pixels, *_align_to_pixels(placed)), turn)
    face = degradation.change_pixels(face)
    return geometry.cut_crop(face, geometry.find_central_square(*face.shape[:2]), size)


def _align_to_pixels(square: Box) -> tuple[Box, int]:
    """Aligns a square to whole pixels, to avoid resampling; returns the square and its side."""
    side = max(round(square.width), 1)
    left, top = (round(start + (square.width - side) / 2) for start in (square.x, square.y))
    return Box(left, top, side, side), side


def shift_square(square: Box, right: float, down: float) -> Box:
    """Shifts a square by fractions of its side: `right` to the right and `down` downwards."""
    side = square.width
    return Box(square.x + right * side, square.y + down * side, side, side)


def scale_square(square: Box, factor: float) -> Box:
    """Scales a square around its centre by a factor."""
    side = square.width * factor
    margin = (square.width - side) / 2
    return Box(square.x + margin, square.y + margin, side, side)


def shrink_face(face: Pixels, side: int) -> Pixels:
    """Downscales a face (uint8 RGB, S x S x 3) to at most `side` pixels per side."""
    return face if len(face) <= side else quality.shrink_pixels(face, side, side)


def rotate_face(face: Pixels, degrees: float) -> Pixels:
    """Rotates a face (uint8 RGB, S x S x 3) counterclockwise around its centre.

    Fills the corners with replicated edge pixels.
    """
    side = len(face)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1.0)
    return cast(
        Pixels,
        cv2.warpAffine(
            face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
    )


def darken_face(face: Pixels, factor: float) -> Pixels:
    """Darkens a face (uint8 RGB, S x S x 3): multiplies all values by a factor from 0 to 1."""
    darker: npt.NDArray[np.float64] = np.rint(face * factor)
    return darker.astype(np.uint8)


def hide_hair(face: Pixels, replacement: HairReplacement) -> Pixels:
    """Replaces everything outside a soft ellipse around the face.

    Args:
        face: uint8 RGB, S x S x 3.
        replacement: "blur": by the strongly blurred face; "colour": by its mean colour.

    Returns:
        uint8 RGB, S' x S' x 3, with S' = min(S, 96).
    """
    face = shrink_face(face, _HIDING_SIDE)
    scale = len(face) / _HIDING_SIDE
    mask = surroundings.make_ellipse_mask(
        len(face), _ELLIPSE_CENTRE, _ELLIPSE_HALF_AXES, _EDGE_DEVIATION * scale
    )
    around = (
        surroundings.blur_pixels(face, _BLUR_DEVIATION * scale)
        if replacement == "blur"
        else surroundings.compute_mean_colour(face)
    )
    return surroundings.replace_surroundings(face, around, mask)


CLEAN = Degradation("original")
HIDDEN_HAIR: Mapping[HairReplacement, Degradation] = {
    "blur": Degradation(
        "hair hidden by blur", change_pixels=partial(hide_hair, replacement="blur")
    ),
    "colour": Degradation(
        "hair hidden by colour", change_pixels=partial(hide_hair, replacement="colour")
    ),
}
DEGRADATIONS = (
    Degradation("32 pixels a side", change_pixels=partial(shrink_face, side=32)),
    Degradation("20 pixels a side", change_pixels=partial(shrink_face, side=20)),
    Degradation("JPEG of quality 20", change_pixels=partial(quality.compress_jpeg, quality=20)),
    Degradation("rotated 20° left", change_pixels=partial(rotate_face, degrees=20)),
    Degradation("rotated 20° right", change_pixels=partial(rotate_face, degrees=-20)),
    Degradation("grey", change_pixels=quality.convert_to_grey),
    Degradation("40 % darker", change_pixels=partial(darken_face, factor=0.6)),
    Degradation("box shifted 10 % left", move_square=partial(shift_square, right=-0.1, down=0.0)),
    Degradation("box shifted 10 % right", move_square=partial(shift_square, right=0.1, down=0.0)),
    Degradation("box shifted 10 % up", move_square=partial(shift_square, right=0.0, down=-0.1)),
    Degradation("box shifted 10 % down", move_square=partial(shift_square, right=0.0, down=0.1)),
    Degradation("box scaled by 0.9", move_square=partial(scale_square, factor=0.9)),
    Degradation("box scaled by 1.1", move_square=partial(scale_square, factor=1.1)),
    *HIDDEN_HAIR.values(),
)
