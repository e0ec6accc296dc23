"""Composites: faces with known frames, pasted into pictures without people.

They differ from the training scenes of the face detector: one upright face without degradation and
nothing else pasted. Use faces and backgrounds that are held out of training.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection import geometry
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box

LONGEST = 320  # side in pixels; twice the side at which detectors search

_Random = np.random.Generator
_Mask = npt.NDArray[np.float32]


def compose(face: Pixels, background: Pixels, share: float, random: _Random) -> tuple[Pixels, Box]:
    """Pastes a face into a background at a random place inside it.

    Args:
        face: A crop in the gender classifier's framing, uint8 RGB, S x S x 3.
        background: A picture without people, uint8 RGB, H x W x 3. It is stretched if its
            shorter side cannot hold the face.
        share: Side of the frame over the picture's longest side, greater than 0, at most 1.
        random: The random generator.

    Returns:
        The picture, uint8 RGB, its longest side `LONGEST`; and the face's frame in it.
    """
    side = max(round(share * LONGEST), 1)
    pixels = _canvas(background, side)
    height, width = pixels.shape[:2]
    left, top = int(random.integers(width - side + 1)), int(random.integers(height - side + 1))
    patch = geometry.crop(face, geometry.whole(*face.shape[:2]), side).astype(np.float32)
    seen = _outline(side, random)[..., np.newaxis]
    place = pixels[top : top + side, left : left + side]
    place[:] = (place + seen * (patch - place) + 0.5).astype(np.uint8)
    return pixels, Box(left, top, side, side)


def _canvas(background: Pixels, least: int) -> Pixels:
    """Resizes a background to the longest side `LONGEST`; each side is at least `least` pixels."""
    scale = LONGEST / max(background.shape[:2])
    height, width = (max(round(extent * scale), least) for extent in background.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(background, (width, height), interpolation=interpolation))


def _outline(side: int, random: _Random) -> _Mask:
    """Draws a mask between an oval around the head and nearly the whole square.

    Size and place vary, because a fixed outline would reveal the frame.
    """
    axes = side * random.uniform((0.36, 0.42), (0.48, 0.50))
    middle = side / 2 + side * random.normal(0, 0.01, 2)
    power = random.uniform(2, 5)
    places = np.arange(side) + 0.5
    across = (np.abs(places - middle[0]) / axes[0]) ** power
    down = (np.abs(places - middle[1]) / axes[1]) ** power
    mask = (across[np.newaxis, :] + down[:, np.newaxis] < 1).astype(np.float32)
    softness = max(side * random.uniform(0.01, 0.03), 0.5)
    return cast(_Mask, cv2.GaussianBlur(mask, (0, 0), softness))
