"""Pictures to search for candidates: composites with a face, and pictures without people."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import cast

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.common.augment import degrade_randomly
from image_gender_classifier.train.detector.composites import compose_picture

_FACE_SIDES = (0.06, 0.8)  # of a crop over the composite's longer side; evenly by their logarithm
_MOST_TURN = 40.0  # degrees, of half of the faces
_DEGRADED = 0.6  # fraction of the pictures
_LONGEST = 400  # pixels, of a picture without people
_PART = (0.4, 0.9)  # range of the sides of a part of a background, over those of the whole

_Random = np.random.Generator


def draw_composite(
    faces: Sequence[Pixels], backgrounds: Sequence[Pixels], random: _Random
) -> tuple[Pixels, Box]:
    """Generates a picture with one face, which may be tilted, and its frame in pixels."""
    face = _turn_randomly(faces[int(random.integers(len(faces)))], random)
    low, high = map(log, _FACE_SIDES)
    scale = exp(random.uniform(low, high))
    background = backgrounds[int(random.integers(len(backgrounds)))]
    pixels, frame = compose_picture(face, background, scale, random)
    return degrade_randomly(pixels, random) if random.random() < _DEGRADED else pixels, frame


def draw_part(background: Pixels, random: _Random) -> Pixels:
    """Returns a random part of a picture without people, mirrored and sometimes degraded."""
    part = _cut_part(background, random)
    return shrink(degrade_randomly(part, random) if random.random() < _DEGRADED else part)


def shrink(pixels: Pixels) -> Pixels:
    """Returns a picture whose longest side is at most 400 pixels."""
    scale = _LONGEST / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    return cast(Pixels, cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _turn_randomly(face: Pixels, random: _Random) -> Pixels:
    """Returns a crop, half of the time turned around its centre."""
    if random.random() < 0.5:
        return face
    side = face.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), random.uniform(-_MOST_TURN, _MOST_TURN), 1)
    return cast(Pixels, cv2.warpAffine(face, turn, (side, side), borderMode=cv2.BORDER_REFLECT))


def _cut_part(picture: Pixels, random: _Random) -> Pixels:
    """Returns a random part of a picture, mirrored."""
    share = random.uniform(*_PART)
    extents = [max(round(share * extent), 1) for extent in picture.shape[:2]]
    top, left = (
        random.integers(extent - part + 1)
        for extent, part in zip(picture.shape[:2], extents, strict=True)
    )
    part = picture[top : top + extents[0], left : left + extents[1]]
    return np.ascontiguousarray(part[:, ::-1])
