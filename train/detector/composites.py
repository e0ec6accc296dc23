"""Composites: face crops pasted at known places into pictures without people.

Unlike the training scenes of the face detector, a composite contains one upright face without
degradation and nothing else pasted. Use faces and backgrounds that are held out of training.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from image_gender_classifier.detection import geometry
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.detector.pasting import Mask, blend

LONGEST = 320  # longest side in pixels; twice the side at which detectors search

# Of what is added to a face: its side over the face's, and the minimum ratio of prominences.
_SMALLER, _MORE_PROMINENT = (0.3, 0.7), 1.5
_TRIES = 50  # attempts to find a place

_Random = np.random.Generator


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
    frame = _choose_frame(pixels, side, random)
    _paste(pixels, face, _generate_mask(side, random), frame)
    return pixels, frame


def add_to_picture(
    pixels: Pixels, main: Box, other: Pixels, mask: Mask | None, random: _Random
) -> None:
    """Pastes something else into a composite, in place, where the main face stays the main one.

    It is smaller than the main face, does not overlap it, and is less prominent. A picture without
    such a place stays as it is.

    Args:
        pixels: The composite.
        main: Frame of its face.
        other: The picture to paste, uint8 RGB, S x S x 3.
        mask: Its outline, float32, S x S; by default like that of a face.
        random: The random generator.
    """
    height, width = pixels.shape[:2]
    limit = geometry.compute_prominence(main, width, height) / _MORE_PROMINENT
    for _ in range(_TRIES):
        side = max(round(main.width * random.uniform(*_SMALLER)), 1)
        if side > min(height, width):
            continue
        frame = _choose_frame(pixels, side, random)
        apart = max(
            abs(frame.x + frame.width / 2 - main.x - main.width / 2),
            abs(frame.y + frame.height / 2 - main.y - main.height / 2),
        )
        if 2 * apart < frame.width + main.width:
            continue
        if geometry.compute_prominence(frame, width, height) > limit:
            continue
        if mask is None:
            outline = _generate_mask(side, random)
        else:
            outline = cast(Mask, cv2.resize(mask, (side, side), interpolation=cv2.INTER_LINEAR))
        _paste(pixels, other, outline, frame)
        return


def _choose_frame(pixels: Pixels, side: int, random: _Random) -> Box:
    height, width = pixels.shape[:2]
    left, top = int(random.integers(width - side + 1)), int(random.integers(height - side + 1))
    return Box(left, top, side, side)


def _paste(pixels: Pixels, patch: Pixels, mask: Mask, frame: Box) -> None:
    """Blends a square patch into a frame inside the picture, in place."""
    left, top, side, _ = map(int, frame)
    scaled = geometry.cut_crop(patch, geometry.find_central_square(*patch.shape[:2]), side)
    blend(pixels[top : top + side, left : left + side], scaled, mask)


def _resize_background(background: Pixels, least: int) -> Pixels:
    """Resizes a background so that its longest side is `LONGEST` and no side is below `least`.

    Stretches the background if its shorter side would be below `least`.
    """
    scale = LONGEST / max(background.shape[:2])
    height, width = (max(round(extent * scale), least) for extent in background.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(background, (width, height), interpolation=interpolation))


def _generate_mask(side: int, random: _Random) -> Mask:
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
    return cast(Mask, cv2.GaussianBlur(mask, (0, 0), softness))
