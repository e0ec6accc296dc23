"""Composites: face crops pasted at known places into pictures without people.

Unlike the training scenes of the face detector, a composite contains one upright face without
degradation and nothing else pasted. Use faces and backgrounds that are held out of training.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection import geometry
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box

LONGEST = 320  # longest side in pixels; twice the side at which detectors search

_Random = np.random.Generator
_Mask = npt.NDArray[np.float32]


def compose_picture(
    face: Pixels, background: Pixels, scale: float, random: _Random
) -> tuple[Pixels, Box]:
    """Pastes a face crop into a background at a random place inside it.

    Args:
        face: A crop with the margin of the gender classifier, uint8 RGB, S x S x 3.
        background: A picture without people, uint8 RGB, H x W x 3; stretched if its shorter side is
            smaller than the crop.
        scale: Side of the crop over the longest side of the composite, greater than 0, at most 1.
        random: The random generator.

    Returns:
        The composite (uint8 RGB, longest side `LONGEST`), and the crop's frame in its pixels.
    """
    side = max(round(scale * LONGEST), 1)
    pixels = _resize_background(background, side)
    height, width = pixels.shape[:2]
    left, top = int(random.integers(width - side + 1)), int(random.integers(height - side + 1))
    patch = geometry.cut_crop(face, geometry.find_central_square(*face.shape[:2]), side).astype(
        np.float32
    )
    mask = _generate_mask(side, random)[..., np.newaxis]
    target = pixels[top : top + side, left : left + side]
    target[:] = (target + mask * (patch - target) + 0.5).astype(np.uint8)
    return pixels, Box(left, top, side, side)


def _resize_background(background: Pixels, least: int) -> Pixels:
    """Resizes a background so that its longest side is `LONGEST` and no side is below `least`.

    Stretches the background if its shorter side would be below `least`.
    """
    scale = LONGEST / max(background.shape[:2])
    height, width = (max(round(extent * scale), least) for extent in background.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(background, (width, height), interpolation=interpolation))


def _generate_mask(side: int, random: _Random) -> _Mask:
    """Generates a random soft mask, from an oval around the head to nearly the whole square.

    Size and position vary; with a fixed outline, a detector could find the frame by its edge.
    """
    axes = side * random.uniform((0.36, 0.42), (0.48, 0.50))
    middle = side / 2 + side * random.normal(0, 0.01, 2)
    power = random.uniform(2, 5)
    positions = np.arange(side) + 0.5
    across = (np.abs(positions - middle[0]) / axes[0]) ** power
    down = (np.abs(positions - middle[1]) / axes[1]) ** power
    mask = (across[np.newaxis, :] + down[:, np.newaxis] < 1).astype(np.float32)
    softness = max(side * random.uniform(0.01, 0.03), 0.5)
    return cast(_Mask, cv2.GaussianBlur(mask, (0, 0), softness))
