"""Pictures that resemble a face: negative examples for the scenes of the face detector.

A detector that has seen faces only as whole, upright ones takes other skin for a face: a chin, an
ear, a hand, a face that is upside down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.detector.pasting import Mask

_Random = np.random.Generator

_SIDE = 96  # of the pictures in pixels
_PART = (0.12, 0.36)  # side of a part of a face, over the side of the crop
_LEAST_TURN = 130  # degrees; scenes rotate patches by 45 more, and upright faces by at most that
# Cheeks and forehead in a crop: range of the top and left edge and of the side, over the crop's.
_SKIN = (((0.50, 0.58), (0.24, 0.32)), ((0.50, 0.58), (0.60, 0.68)), ((0.22, 0.30), (0.36, 0.52)))
_SKIN_SIDE = (0.06, 0.12)


def draw_lookalike(face: Pixels, random: _Random) -> tuple[Pixels, Mask | None]:
    """Generates a picture that resembles a face.

    Args:
        face: A face crop with the margin of the gender classifier, uint8 RGB, S x S x 3.
        random: The random generator.

    Returns:
        A square picture, uint8 RGB, and its outline, float32 from 0 to 1 of the same height and
        width; None if the picture has no outline of its own.
    """
    kind = _KINDS[int(random.integers(len(_KINDS)))]
    return kind(face, random)


def _part(face: Pixels, random: _Random) -> tuple[Pixels, None]:
    """Cuts a part out of a face: an eye, an ear, a chin, a cheek, hair."""
    side = max(round(random.uniform(*_PART) * len(face)), 4)
    top, left = random.integers(round(0.08 * len(face)), round(0.92 * len(face)) - side, 2).tolist()
    return _resize(face[top : top + side, left : left + side]), None


def _turned(face: Pixels, random: _Random) -> tuple[Pixels, None]:
    """Turns a face upside down."""
    degrees = random.uniform(_LEAST_TURN, 360 - _LEAST_TURN)
    middle = (len(face) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), degrees, 1)
    turned = cv2.warpAffine(face, matrix, face.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return cast(Pixels, turned), None


def _shuffled(face: Pixels, random: _Random) -> tuple[Pixels, None]:
    """Exchanges the quarters, or the ninths, of a face's middle."""
    cells = int(random.integers(2, 4))
    start, side = round(0.16 * len(face)), round(0.68 * len(face)) // cells
    mixed = face.copy()
    order = np.roll(np.arange(cells**2), int(random.integers(1, cells**2)))
    for to, source in enumerate(random.permutation(order) if cells == 3 else order):
        (top, left), (from_top, from_left) = (
            (start + side * (cell // cells), start + side * (cell % cells)) for cell in (to, source)
        )
        mixed[top : top + side, left : left + side] = face[
            from_top : from_top + side, from_left : from_left + side
        ]
    return mixed, None


def _blob(face: Pixels, random: _Random) -> tuple[Pixels, Mask]:
    """Draws skin in the shape of a shoulder, a knee or an arm: a shaded superellipse."""
    across, down = _grid()
    axes, power = random.uniform(0.2, 0.48, 2), random.uniform(1.6, 4)
    distance = (np.abs(across) / axes[0]) ** power + (np.abs(down) / axes[1]) ** power
    shade = 1 - random.uniform(0, 0.4) * distance.clip(0, 1)
    return _lit(_skin(face, random), shade, random), _soften(distance < 1, random)


def _hand(face: Pixels, random: _Random) -> tuple[Pixels, Mask]:
    """Draws skin in the shape of a hand: a palm, and fingers that are spread or folded."""
    mask, shade = np.zeros((2, _SIDE, _SIDE), np.float32)
    folded = random.random() < 0.5
    fingers = int(random.integers(3, 6))
    direction, spread = random.uniform(0, 2 * np.pi), 0.0 if folded else random.uniform(0.4, 1.4)
    palm = random.uniform(0.14, 0.22, 2) * _SIDE
    middle = np.array([0.5, 0.5]) * _SIDE
    tilt = float(np.degrees(direction))
    axes = (int(palm[0]), int(palm[1]))
    for canvas, value in ((mask, 1.0), (shade, 1.0)):
        cv2.ellipse(canvas, (_SIDE // 2, _SIDE // 2), axes, tilt, 0, 360, value, -1)
    thickness = max(int(2 * palm[1] / fingers * random.uniform(0.7, 1)), 3)
    along = np.array([np.cos(direction), np.sin(direction)])
    beside = np.array([-along[1], along[0]])
    for finger in range(fingers):
        offset = (finger + 0.5) / fingers - 0.5
        angle = direction + offset * spread
        length = palm[0] * (random.uniform(0.5, 0.9) if folded else random.uniform(1.2, 2))
        root = middle + along * palm[0] * (0.1 if folded else 0.6) + beside * 2 * palm[1] * offset
        tip = root + length * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(np.round(point).astype(int).tolist()) for point in (root, tip)]
        cv2.line(mask, ends[0], ends[1], 1.0, thickness)
        cv2.line(shade, ends[0], ends[1], random.uniform(0.3, 0.6), thickness + 2)
        cv2.line(shade, ends[0], ends[1], random.uniform(0.85, 1), max(thickness - 2, 1))
    shade = cv2.GaussianBlur(shade, (0, 0), random.uniform(0.8, 2)).astype(np.float32)
    return _lit(_skin(face, random), 0.5 + 0.5 * shade, random), _soften(mask > 0, random)


_KINDS: tuple[Callable[[Pixels, _Random], tuple[Pixels, Mask | None]], ...] = (
    _part, _part, _turned, _shuffled, _blob, _hand, _hand,
)  # fmt: skip


def _skin(face: Pixels, random: _Random) -> Pixels:
    """Enlarges a piece of cheek or forehead."""
    place = _SKIN[int(random.integers(len(_SKIN)))]
    top, left = (round(random.uniform(*edge) * len(face)) for edge in place)
    side = max(round(random.uniform(*_SKIN_SIDE) * len(face)), 2)
    return _resize(face[top : top + side, left : left + side])


def _lit(pixels: Pixels, shade: npt.NDArray[np.floating], random: _Random) -> Pixels:
    """Multiplies pixels by a shade and by light from one side."""
    across, down = _grid()
    angle, strength = random.uniform(0, 2 * np.pi), random.uniform(0, 0.8)
    light = 1 + strength * (np.cos(angle) * across + np.sin(angle) * down)
    grain = random.standard_normal(pixels.shape, np.float32) * random.uniform(0, 6)
    factor = (shade * light).astype(np.float32)[..., np.newaxis]
    lit = pixels * factor + grain
    return cast(Pixels, lit.clip(0, 255).astype(np.uint8))


def _grid() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns the distance of each pixel from the middle, right and down, over the side."""
    steps = (np.arange(_SIDE) + 0.5) / _SIDE - 0.5
    return steps[np.newaxis, :], steps[:, np.newaxis]


def _soften(inside: npt.NDArray[np.bool_], random: _Random) -> Mask:
    blurred = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), random.uniform(0.6, 3))
    return cast(Mask, blurred)


def _resize(pixels: Pixels) -> Pixels:
    return cast(Pixels, cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR))
