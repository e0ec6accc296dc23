"""Faces of known frames set into pictures without people.

They are made otherwise than the scenes that a finder learns from, so that knowing how those are
pasted together does not help: one upright face, as it is, nothing else pasted and nothing worse.
Faces that are held out of training belong here, and so do backgrounds.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection import geometry
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box

LONGEST = 320  # side in pixels: twice what detectors search at, so no face is enlarged for them

_Random = np.random.Generator
_Mask = npt.NDArray[np.float32]


def compose(face: Pixels, background: Pixels, share: float, random: _Random) -> tuple[Pixels, Box]:
    """Sets a face into a background, anywhere, but wholly inside.

    Args:
        face: A crop in the classifier's frame, uint8 RGB, S x S x 3.
        background: A picture without people, uint8 RGB, H x W x 3. It is stretched where its
            shorter side could not hold the face.
        share: Side of the frame over the picture's longest side, above 0, to 1.
        random: Where the place and the face's outline come from.

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
    """Brings a background to the size wanted, no side below the least."""
    scale = LONGEST / max(background.shape[:2])
    height, width = (max(round(extent * scale), least) for extent in background.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(background, (width, height), interpolation=interpolation))


def _outline(side: int, random: _Random) -> _Mask:
    """Draws what is seen of a face's square: between an oval round the head and nearly all.

    Its size and place vary, as a fixed outline would tell the frame.
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
