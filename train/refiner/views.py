"""Views of candidates' patches as the face refiner sees candidates, moved and altered at random."""

from __future__ import annotations

from math import cos, exp, radians, sin
from typing import NamedTuple, cast

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common import quality
from image_gender_classifier.train.refiner.candidates import PATCH_SIDE, REACH

MARGIN = 1.2
"""Side of a view divided by the side of the candidate's frame."""

_SHIFT, _SCALE = 0.05, 0.07  # standard deviations, in sides of the frame and of their logarithm
_TILT = 10.0  # standard deviation in degrees, of what is no face
_LIT, _CONTRAST, _BRIGHTNESS = 0.5, 0.15, 8.0  # fraction of views; standard deviations
_GREY, _BLURRED = 0.1, 0.1  # fractions of views
_BLUR = (0.4, 1.2)  # pixels

_Random = np.random.Generator


class Move(NamedTuple):
    """The difference between a view and the candidate's frame.

    Attributes:
        right: Distance of its centre to the right, in sides of the frame.
        down: Likewise, down.
        log_side: Natural logarithm of the factor of its side.
        degrees: Its rotation.
        mirrored: Whether it is flipped horizontally.
    """

    right: float = 0.0
    down: float = 0.0
    log_side: float = 0.0
    degrees: float = 0.0
    mirrored: bool = False


def sample_move(is_face: bool, random: _Random) -> Move:
    """Samples the move of a view.

    Faces are neither rotated nor flipped: their patches were rotated already, and FairFace's frames
    of turned heads differ between left and right.

    Args:
        is_face: Whether the candidate may be a face.
        random: The random generator.
    """
    right, down = random.normal(0, _SHIFT, 2).tolist()
    log_side = float(random.normal(0, _SCALE))
    if is_face:
        return Move(right, down, log_side)
    return Move(right, down, log_side, float(random.normal(0, _TILT)), random.random() < 0.5)


def draw_view(patch: Pixels, size: int, move: Move) -> Pixels:
    """Samples a view from a patch.

    Args:
        patch: uint8 RGB, 80 x 80 x 3; see `Candidate`.
        size: Side of the view in pixels.
        move: How it differs from the candidate's frame.

    Returns:
        uint8 RGB, size x size x 3.
    """
    frame = PATCH_SIDE / REACH
    step = exp(move.log_side) * MARGIN * frame / size
    across, along = step * cos(radians(move.degrees)), step * sin(radians(move.degrees))
    mirror = np.diag((-1.0 if move.mirrored else 1.0, 1.0))
    linear = np.array([[across, along], [-along, across]]) @ mirror
    middle = (PATCH_SIDE - 1) / 2 + frame * np.array([move.right, move.down])
    offset = middle - linear @ ((size - 1) / 2, (size - 1) / 2)
    view = cv2.warpAffine(
        patch,
        np.column_stack([linear, offset]),
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cast(Pixels, view)


def alter(view: Pixels, random: _Random) -> Pixels:
    """Returns a view (uint8 RGB, S x S x 3), sometimes in other light, grey or blurred."""
    if random.random() < _LIT:
        factor, shift = exp(random.normal(0, _CONTRAST)), random.normal(0, _BRIGHTNESS)
        levels = np.clip(np.arange(256) * factor + shift, 0, 255).astype(np.uint8)
        view = cast(Pixels, cv2.LUT(view, levels))
    if random.random() < _GREY:
        view = quality.convert_to_grey(view)
    if random.random() < _BLURRED:
        view = cast(Pixels, cv2.GaussianBlur(view, (0, 0), random.uniform(*_BLUR)))
    return view
