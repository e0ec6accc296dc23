"""A picture with known faces, and the pictures that such scenes are composed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector.mining import Window


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with known faces.

    Attributes:
        pixels: uint8 RGB, H x W x 3.
        frames: Square around each face that the gender classifier would crop, in pixels; can extend
            beyond the picture.
        decoys: Squares that show something other than the background or a face.
    """

    pixels: Pixels
    frames: tuple[Box, ...]
    decoys: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Pictures to compose scenes from.

    Attributes:
        crops: Face crops with the margin of the gender classifier, uint8 RGB, N x S x S x 3.
        positions: Indices of the crops to use.
        backgrounds: Pictures without people, each uint8 RGB, H x W x 3.
        mined: Windows of the backgrounds in which a network detected a face.
        mined_fraction: Fraction of scenes that are such windows, if there are any.
    """

    crops: npt.NDArray[np.uint8]
    positions: Sequence[int]
    backgrounds: Sequence[Pixels]
    mined: Sequence[Window] = ()
    mined_fraction: float = 0.0


def make_square(centre: tuple[float, float], side: float) -> Box:
    """Returns the square with this centre and side, in pixels."""
    return Box(centre[0] - side / 2, centre[1] - side / 2, side, side)
