"""Scenes to train the face detector with: whole pictures, and tiles of its second pass.

Some are windows of backgrounds in which a network detected a face.
"""

from __future__ import annotations

import numpy as np

from image_gender_classifier.detection.tiling import Tile, letterbox, make_face_tile
from image_gender_classifier.results import Box
from image_gender_classifier.train.common.augment import degrade_randomly
from image_gender_classifier.train.detector.mining import draw_window
from image_gender_classifier.train.detector.scene import Scene, Sources, make_square
from image_gender_classifier.train.detector.whole_scenes import draw_whole, sample_place

_Random = np.random.Generator

_CLOSE = 0.6  # fraction of scenes that are second-pass tiles
_MARGINS = (1.3, 1.8)  # side of such a tile over the frame's side, as in inference
_LARGER = 1.5  # side of the picture that a tile is cut from, over the tile's side
_CENTRE_ERROR, _SIDE_ERROR = 0.06, 0.12  # standard deviations of first-pass frames
_AT_DECOY = 0.2  # fraction of second-pass tiles that are around something that is no face
SMALLEST = 0.12
"""Side of the smallest face that the network detects reliably, over the picture's longest side."""


def draw(sources: Sources, longest: int, random: _Random) -> Scene:
    """Generates a random scene; see `draw_views`."""
    return draw_views(sources, longest, 1, random)[0]


def draw_views(sources: Sources, longest: int, count: int, random: _Random) -> list[Scene]:
    """Generates random scenes that are views of one picture, which takes most of the time.

    Args:
        sources: The pictures to compose them from.
        longest: Longest side of a scene in pixels.
        count: Number of views: the whole picture, or a tile of it.
        random: The random generator.

    Returns:
        The scenes; one side is `longest` pixels, the other at most that.
    """
    picture = draw_whole(sources, round(_LARGER * longest), random)
    views = []
    for _ in range(count):
        if sources.mined and random.random() < sources.mined_fraction:
            views.append(_mined(sources, longest, random))
        elif random.random() < _CLOSE:
            views.append(cut_close_up(picture, longest, random))
        else:
            views.append(_cut(picture, Tile(0, 0, max(picture.pixels.shape[:2])), longest))
    return views


def _mined(sources: Sources, longest: int, random: _Random) -> Scene:
    """Generates a picture without a face in which a network detected one."""
    window = sources.mined[int(random.integers(len(sources.mined)))]
    part = draw_window(sources.backgrounds, window, random)
    scale = longest / max(part.shape[:2])
    rows, columns = (max(round(length * scale), 1) for length in part.shape[:2])
    return Scene(degrade_randomly(letterbox(part, longest)[:rows, :columns].copy(), random), ())


def cut_close_up(scene: Scene, longest: int, random: _Random) -> Scene:
    """Cuts a second-pass tile around a random face, or around a random place without one.

    Args:
        scene: The picture.
        longest: Longest side of the tile in pixels.
        random: The random generator.

    Returns:
        The tile, with the faces whose centre is in it.
    """
    height, width = scene.pixels.shape[:2]
    if scene.decoys and (not scene.frames or random.random() < _AT_DECOY):
        suspect = _first_pass_frame(scene.decoys[int(random.integers(len(scene.decoys)))], random)
    elif scene.frames:
        suspect = _first_pass_frame(scene.frames[int(random.integers(len(scene.frames)))], random)
    else:
        side, centre = sample_place(height, width, random)
        suspect = make_square(centre, side)
    margin = _MARGINS[int(random.integers(len(_MARGINS)))]
    return _cut(scene, make_face_tile(suspect, margin, height, width), longest)


def _cut(scene: Scene, tile: Tile, longest: int) -> Scene:
    """Cuts a tile out of a picture and scales it to its longest side in pixels."""
    left, top, extent = tile
    part = scene.pixels[top : top + extent, left : left + extent]
    scale = longest / max(part.shape[:2])
    rows, columns = (max(round(length * scale), 1) for length in part.shape[:2])
    seen = (
        Box((box.x - left) * scale, (box.y - top) * scale, box.width * scale, box.width * scale)
        for box in scene.frames
    )
    inside = tuple(
        box
        for box in seen
        if 0 <= box.x + box.width / 2 < columns and 0 <= box.y + box.width / 2 < rows
    )
    return Scene(letterbox(part, longest)[:rows, :columns], inside)


def _first_pass_frame(frame: Box, random: _Random) -> Box:
    """Samples an inaccurate frame of a face, as the detector's first pass would find it."""
    side = frame.width * float(np.exp(random.normal(0, _SIDE_ERROR)))
    x, y = (
        start + frame.width / 2 + frame.width * random.normal(0, _CENTRE_ERROR)
        for start in (frame.x, frame.y)
    )
    return make_square((x, y), side)
