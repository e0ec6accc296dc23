"""Synthetic pictures: face crops with known frames, pasted into pictures without people.

To prevent the network from learning pasted edges, faces have many outlines or fade out beyond their
square, backgrounds are tinted like the face, and patches without a face are pasted in the same way.
Some pictures consist of a single face.

Faces are not flipped, because FairFace's frames of turned heads differ between left and right.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box
from image_gender_classifier.train.common.augment import degrade_randomly
from image_gender_classifier.train.detector.lookalikes import draw_lookalike
from image_gender_classifier.train.detector.pasting import (
    Mask,
    blend,
    make_placing_matrix,
    paste,
    sample_angle,
    sample_edge,
)
from image_gender_classifier.train.detector.scene import Scene, Sources, make_square

_Random = np.random.Generator

LOOKALIKES = 0.7
"""Mean number of lookalikes of faces in a picture."""
TONED = 0.5
"""Fraction of the backgrounds whose mean colour is shifted towards that of a face."""

_ALONE = 0.25  # fraction of pictures that consist of one face crop only
_MIRRORED = 0.7  # of the longest side; smaller faces would appear twice if the edge is reflected
_EMPTY = 0.3  # fraction of the other pictures without a face
_SMALLEST_SHOWN, _LARGEST = 0.08, 1.1  # side of the faces, over the picture's longest side
_PATCHES = 0.6  # mean number of patches of background in a picture
_SHOULDERS = 0.5  # fraction of the faces that get shoulders
_TRIES = 4  # attempts per face to find a place without overlap


def draw_whole(sources: Sources, longest: int, random: _Random) -> Scene:
    """Generates the scene of a whole picture, as in the detector's first pass.

    Args:
        sources: The pictures to compose it from.
        longest: Longest side of the scene in pixels.
        random: The random generator.
    """
    height, width = _shape(longest, random)
    if random.random() < _ALONE:
        scene = _alone(sources, height, width, random)
    else:
        scene = _composed(sources, height, width, random)
    return Scene(degrade_randomly(scene.pixels, random), scene.frames, scene.decoys)


def sample_place(height: int, width: int, random: _Random) -> tuple[float, tuple[float, float]]:
    """Samples the side of a face, and a centre for which most of it is in the picture.

    Args:
        height: Height of the picture in pixels.
        width: Its width in pixels.
        random: The random generator.

    Returns:
        The side and the centre (x, y) in pixels.
    """
    side = max(height, width) * np.exp(random.uniform(np.log(_SMALLEST_SHOWN), np.log(_LARGEST)))
    side = min(side, 1.3 * min(height, width))
    margins = [min(0.35 * side, extent / 2) for extent in (width, height)]
    x, y = (
        random.uniform(margin, extent - margin)
        for margin, extent in zip(margins, (width, height), strict=True)
    )
    return float(side), (x, y)


def _shape(longest: int, random: _Random) -> tuple[int, int]:
    """Samples the height and width of a picture: portrait, square or landscape."""
    shorter = longest if random.random() < 0.4 else round(longest * random.uniform(0.55, 1))
    return (longest, shorter) if random.random() < 0.5 else (shorter, longest)


def _alone(sources: Sources, height: int, width: int, random: _Random) -> Scene:
    """Generates a scene from a single face crop, cut off or with extended edges."""
    face = _face(sources, random)
    longest = max(height, width)
    side = longest * random.uniform(0.5, 1.5)
    spare = (side - width) / 2, (side - height) / 2
    centre = (
        width / 2 + spare[0] * random.uniform(-0.9, 0.9),
        height / 2 + spare[1] * random.uniform(-0.9, 0.9),
    )
    matrix = make_placing_matrix(len(face), side, centre, sample_angle(random))
    edge = sample_edge(random, side >= _MIRRORED * longest)
    pixels = cv2.warpAffine(face, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=edge)
    return Scene(cast(Pixels, pixels), (make_square(centre, side),))


def _composed(sources: Sources, height: int, width: int, random: _Random) -> Scene:
    """Generates a scene with faces, and patches without a face, pasted into a background."""
    pixels = _background(sources, height, width, random)
    decoys: list[Box] = []
    for _ in range(random.poisson(_PATCHES)):
        side, centre = sample_place(height, width, random)
        paste(pixels, _background(sources, 96, 96, random), None, side, centre, random)
        decoys.append(make_square(centre, side))
    for _ in range(random.poisson(LOOKALIKES)):
        side, centre = sample_place(height, width, random)
        paste(pixels, *_lookalike(sources, random), side, centre, random)
        decoys.append(make_square(centre, side))
    frames: list[Box] = []
    wanted = 0 if random.random() < _EMPTY else 1 + min(random.poisson(0.3), 3)
    shown = [_face(sources, random) for _ in range(max(wanted, 1))]
    if random.random() < TONED:
        pixels = _toned(pixels, shown[0], random.uniform(0.3, 1))
    for _ in range(wanted * _TRIES):
        if len(frames) == wanted:
            break
        side, centre = sample_place(height, width, random)
        frame = make_square(centre, side)
        if any(_overlap(frame, other) for other in frames):
            continue
        if random.random() < _SHOULDERS:
            _dress(pixels, sources, frame, random)
        paste(pixels, shown[len(frames)], None, side, centre, random)
        frames.append(frame)
    return Scene(pixels, tuple(frames), tuple(decoys))


def _toned(pixels: Pixels, like: Pixels, fraction: float) -> Pixels:
    """Returns a picture with its mean colour shifted towards that of `like`."""
    shift = fraction * (np.array(cv2.mean(like)) - cv2.mean(pixels))
    return cast(Pixels, cv2.add(pixels, shift))


def _background(sources: Sources, height: int, width: int, random: _Random) -> Pixels:
    """Returns a random part of a random background, scaled to the given shape."""
    picture = sources.backgrounds[int(random.integers(len(sources.backgrounds)))]
    scale = min(picture.shape[0] / height, picture.shape[1] / width) * random.uniform(0.4, 1)
    rows, columns = max(round(height * scale), 1), max(round(width * scale), 1)
    top = random.integers(picture.shape[0] - rows + 1)
    left = random.integers(picture.shape[1] - columns + 1)
    part = picture[top : top + rows, left : left + columns, :]
    if random.random() < 0.5:
        part = part[:, ::-1]
    interpolation = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return cast(Pixels, cv2.resize(part, (width, height), interpolation=interpolation))


def _dress(pixels: Pixels, sources: Sources, frame: Box, random: _Random) -> None:
    """Paints shoulders in a random texture below a face, in place."""
    height, width = pixels.shape[:2]
    stuff = _background(sources, height, width, random)
    if random.random() < 0.6:  # plain cloth
        cloth = np.full_like(stuff, random.integers(0, 256, 3))
        stuff = cast(Pixels, cv2.addWeighted(stuff, 0.25, cloth, 0.75, 0))
    middle = frame.x + frame.width / 2 + random.normal(0, 0.05) * frame.width
    top = frame.y + random.uniform(0.78, 0.95) * frame.width
    half = frame.width * random.uniform(0.6, 1.1)
    slope = frame.width * random.uniform(0.1, 0.35)
    neck = frame.width * random.uniform(0.15, 0.25)
    corners = [
        (middle - neck, top), (middle + neck, top),
        (middle + half, top + slope), (middle + half * 1.1, height + half),
        (middle - half * 1.1, height + half), (middle - half, top + slope),
    ]  # fmt: skip
    softness = max(frame.width * random.uniform(0.01, 0.04), 0.4)
    start = min(max(int(top - 4 * softness), 0), height)  # all above is left as it is
    if start == height:
        return
    mask = np.zeros((height - start, width), np.float32)
    cv2.fillPoly(mask, [(np.array(corners).round() - (0, start)).astype(np.int32)], 1.0)
    opacity = cast(Mask, cv2.GaussianBlur(mask, (0, 0), softness))
    blend(pixels[start:], stuff[start:], opacity)


def _lookalike(sources: Sources, random: _Random) -> tuple[Pixels, Mask | None]:
    return draw_lookalike(_face(sources, random), random)


def _face(sources: Sources, random: _Random) -> Pixels:
    place = int(random.integers(len(sources.positions)))
    crop: Pixels = sources.crops[sources.positions[place]]
    return crop


def _overlap(one: Box, other: Box) -> bool:
    """Returns whether the faces in two frames overlap; the frames' margins may overlap."""
    near = 0.35 * (one.width + other.width)
    across = abs(one.x + one.width / 2 - other.x - other.width / 2)
    down = abs(one.y + one.height / 2 - other.y - other.height / 2)
    return max(across, down) < near
