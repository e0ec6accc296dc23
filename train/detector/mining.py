"""Hard negative mining: windows of the backgrounds in which a network detects a face.

Scenes rarely contain what a network mistakes for a face. As in Felzenszwalb et al., "Object
Detection with Discriminatively Trained Part-Based Models" (2010), the network searches the
backgrounds again and again during its training, and its mistakes become training scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import ceil
from typing import NamedTuple, cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.geometry import scale_box
from image_gender_classifier.detection.heatmap import Detection, decode_heatmap
from image_gender_classifier.detection.tiling import Tile, letterbox, make_face_tile, make_tiles
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box

Maps = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
RunNetwork = Callable[[Pixels], Maps]
"""Maps pixels (uint8 RGB, N x S x S x 3) to heatmaps (N x G x G) and boxes (N x G x G x 3)."""

_SIDES = (1.0, 0.6, 0.36)  # of the searched tiles, over the longer side of the background
_SHORTEST = 48  # pixels; smaller tiles show nothing but blur
_MARGINS = (1.3, 1.8)  # of the windows around a detection, as in the passes of inference
_MIN_LOGIT = -2.0  # of a detection that is worth a window; a probability of 0.12
_LARGEST = 4096  # number of windows
_BATCH = 128
_SHIFT, _SCALE = 0.08, 0.15  # standard deviations of the position and size of a shown window


class Window(NamedTuple):
    """A square of a background, which can extend beyond its right and bottom edges.

    Attributes:
        background: Index of the background.
        left: Left edge in pixels.
        top: Top edge in pixels.
        side: Width and height in pixels.
    """

    background: int
    left: int
    top: int
    side: int


def mine(backgrounds: Sequence[Pixels], run: RunNetwork, size: int) -> list[Window]:
    """Searches backgrounds for windows in which a network detects a face.

    Args:
        backgrounds: Pictures without people, each uint8 RGB, H x W x 3.
        run: The network.
        size: Side of its input in pixels.

    Returns:
        The windows by falling logit, at most 4,096.
    """
    around = [
        Window(seen.background, *make_face_tile(found.frame, margin, *_shape(backgrounds, seen)))
        for seen, found in _detect(backgrounds, _cover(backgrounds), run, size)
        for margin in _MARGINS
    ]
    best: dict[Window, float] = {}
    for window, found in _detect(backgrounds, around, run, size):
        best[window] = max(found.logit, best.get(window, found.logit))
    return sorted(best, key=lambda window: -best[window])[:_LARGEST]


def draw_window(
    backgrounds: Sequence[Pixels], window: Window, random: np.random.Generator
) -> Pixels:
    """Cuts a window out of its background, moved, scaled and mirrored at random.

    Args:
        backgrounds: The backgrounds that were searched.
        window: The window.
        random: The random generator.

    Returns:
        uint8 RGB, H x W x 3; not square where the window extends beyond the background.
    """
    picture = backgrounds[window.background]
    height, width = picture.shape[:2]
    side = window.side * float(np.exp(random.normal(0, _SCALE)))
    x, y = (
        start + window.side * (0.5 + random.normal(0, _SHIFT))
        for start in (window.left, window.top)
    )
    left, top, extent = make_face_tile(
        Box(x - side / 2, y - side / 2, side, side), 1.0, height, width
    )
    part = picture[top : top + extent, left : left + extent]
    return cast(Pixels, cv2.flip(part, 1)) if random.random() < 0.5 else part.copy()


def _cover(backgrounds: Sequence[Pixels]) -> Iterator[Window]:
    for index, picture in enumerate(backgrounds):
        height, width = picture.shape[:2]
        for share in _SIDES:
            side = ceil(share * max(height, width))
            if side >= _SHORTEST:
                yield from (Window(index, *tile) for tile in make_tiles(height, width, side))


def _detect(
    backgrounds: Sequence[Pixels],
    windows: Iterator[Window] | Sequence[Window],
    run: RunNetwork,
    size: int,
) -> Iterator[tuple[Window, Detection]]:
    """Yields each window with each detection in it, frames in pixels of the background."""
    remaining = iter(windows)
    while chunk := list(islice(remaining, _BATCH)):
        parts = [_cut(backgrounds[window.background], window) for window in chunk]
        heats, boxes = run(np.stack([letterbox(part, size) for part in parts]))
        for window, part, heat, box in zip(chunk, parts, heats, boxes, strict=True):
            scale = max(part.shape[:2]) / size
            for face in decode_heatmap(heat, box, _MIN_LOGIT, len(heat)):
                x, y, side, _ = scale_box(face.frame, scale)
                placed = Box(window.left + x, window.top + y, side, side)
                yield window, Detection(placed, face.logit)


def _cut(picture: Pixels, tile: Tile | Window) -> Pixels:
    return picture[tile.top : tile.top + tile.side, tile.left : tile.left + tile.side]


def _shape(backgrounds: Sequence[Pixels], window: Window) -> tuple[int, int]:
    height, width = backgrounds[window.background].shape[:2]
    return height, width
