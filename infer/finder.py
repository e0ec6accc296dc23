"""The face finder: a small network that tells where faces' centres are, and their frames.

Maps of centres and sizes as in Zhou et al., "Objects as Points" (2019): no anchors, and a peak is
a face.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError
from image_gender_classifier.faces import Framing, Pixels
from image_gender_classifier.images import Picture
from image_gender_classifier.manifest import FinderEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.verdict import Box, Face

STRIDE = 8
_BLANK = 127  # what the network's normalisation turns into nothing
_CLOSER, _CLOSEST = 0.6, 0.3  # sides of closer looks, as shares of the picture's longest side
_TOLERANCE = 0.75  # a face may be measured so much smaller than it is
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """A face that the finder sees.

    Attributes:
        frame: The classifier's frame around it.
        score: How sure the finder is, 0 to 1.
    """

    frame: Box
    score: float


class FaceFinder:
    """A face finder's network with its manifest entry.

    Args:
        runtime: The network.
        entry: Its manifest entry.
        smallest_face: Smallest face to look for, as a share of a picture's shorter side; by
            default what two rounds of looks show.

    Raises:
        ModelError: The network is not what its entry says.
    """

    def __init__(
        self, runtime: Runtime, entry: FinderEntry, smallest_face: float | None = None
    ) -> None:
        size = entry.input_shape[0]
        form = (runtime.input_shape, runtime.input_dtype, entry.input_shape, entry.colour_order)
        if form != ((size, size, 3), "uint8", (size, size, 3), "RGB"):
            raise ModelError(
                f"{entry.file}: takes {runtime.input_dtype} {runtime.input_shape}, but is given "
                f"square uint8 RGB pictures as its manifest says; install the package again"
            )
        self.framings = {entry.detector: Framing(scale=1.0, shift_y=0.0)}
        self.decisive = (*entry.decisive, smallest_face)
        self._entry = entry
        self._size = size
        self._smallest = smallest_face
        self._runtime = runtime

    def find(self, picture: Picture) -> list[Face]:
        """Finds the faces in a picture: those that one look at the whole of it shows, else closer.

        Returns:
            Faces by falling score, unjudged, boxes (the classifier's frames) in pixels of the
            original.

        Raises:
            ModelError: The network cannot be run.
        """
        pixels = picture.pixels
        height, width = pixels.shape[:2]
        found: list[Found] = []
        least = _TOLERANCE * (self._smallest or 0) * min(height, width)
        for side in self._sides(height, width):
            seen = self._seen(pixels, squares(height, width, side))
            if found := [face for face in seen if face.frame.width >= least]:
                break
        scale = picture.scale
        return [
            Face(
                Box(*(scale * value for value in (frame.x, frame.y, frame.width, frame.height))),
                self._entry.detector,
            )
            for frame in (face.frame for face in found)
        ]

    def _sides(self, height: int, width: int) -> Iterator[int]:
        """Gives the sides of the squares to look at, a round each, until the first finds a face.

        A square is no larger than the picture's shorter side in all rounds but the first, unless
        the picture is so long that they would be too many.
        """
        longest, shorter = max(height, width), min(height, width)
        yield longest
        side = max(min(ceil(_CLOSER * longest), shorter), ceil(_CLOSEST * longest))
        yield side
        if self._smallest is not None:
            enough = max(ceil(self._smallest * shorter / self._entry.smallest_face), 1)
            while side > enough:
                # Rounding up alone would leave a side of two pixels at two for ever.
                side = max(min(ceil(_CLOSER * side), side - 1), enough)
                yield side

    def _seen(self, pixels: Pixels, looks: Iterable[tuple[int, int, int]]) -> list[Found]:
        """Looks at squares of a picture (left, top, side), which may reach beyond it."""
        found: list[Found] = []
        for left, top, side in looks:
            part = pixels[top : top + side, left : left + side]
            heat, boxes = self._maps(fitted(part, self._size))
            scale = max(part.shape[:2]) / self._size
            for face in decode(heat, boxes, self._entry.threshold):
                frame = face.frame
                x, y = left + scale * frame.x, top + scale * frame.y
                side_found = scale * frame.width
                found.append(Found(Box(x, y, side_found, side_found), face.score))
        found.sort(key=lambda face: -face.score)
        return _distinct(found)

    def _maps(self, square: Pixels) -> tuple[_Floats, _Floats]:
        """Runs the network; gives heat (G x G) and boxes (G x G x 3)."""
        cells = self._size // STRIDE
        maps = {output.shape[-1]: output for output in self._runtime.run(square[np.newaxis])}
        shapes = {channels: output.shape for channels, output in maps.items()}
        if shapes != {channels: (1, cells, cells, channels) for channels in (1, 3)}:
            raise ModelError(f"{self._entry.file}: gives other maps than a face finder's")
        return maps[1][0, ..., 0], maps[3][0]


def squares(height: int, width: int, side: int) -> Iterator[tuple[int, int, int]]:
    """Gives squares (left, top, side) that overlap by half and cover a picture.

    A side longer than the picture's makes squares that reach beyond it.
    """
    for top in _steps(height, side):
        for left in _steps(width, side):
            yield left, top, side


def _steps(extent: int, side: int) -> list[int]:
    """Gives where windows of a side begin that overlap by half at least and cover an extent."""
    count = max(ceil((extent - side) / (side / 2)), 0) + 1
    return [round(place * max(extent - side, 0) / max(count - 1, 1)) for place in range(count)]


def fitted(pixels: Pixels, size: int) -> Pixels:
    """Shrinks or enlarges a picture into the top left corner of a blank square.

    Args:
        pixels: uint8 RGB, H x W x 3.
        size: Side of the square in pixels.

    Returns:
        uint8 RGB, size x size x 3.
    """
    height, width = pixels.shape[:2]
    scale = size / max(height, width)
    extent = (max(round(width * scale), 1), max(round(height * scale), 1))
    square = np.full((size, size, 3), _BLANK, np.uint8)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square[: extent[1], : extent[0]] = cv2.resize(pixels, extent, interpolation=interpolation)
    return square


def decode(heat: _Floats, boxes: _Floats, threshold: float) -> list[Found]:
    """Reads the faces out of the network's maps.

    Args:
        heat: Logits of centres, G x G.
        boxes: By cell the way to the centre in cells, right and down, and the logarithm of the
            frame's side over the input's, G x G x 3.
        threshold: Least score.

    Returns:
        Faces by falling score, frames in pixels of the network's input.
    """
    cells = heat.shape[0]
    size = cells * STRIDE
    highest = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((heat == highest) & (heat > np.log(threshold / (1 - threshold))))
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        right, down, extent = boxes[row, column].tolist()
        side = size * float(np.exp(min(extent, 1.0)))
        x, y = (column + 0.5 + right) * STRIDE, (row + 0.5 + down) * STRIDE
        score = float(1 / (1 + np.exp(-heat[row, column])))
        found.append(Found(Box(x - side / 2, y - side / 2, side, side), score))
    found.sort(key=lambda face: -face.score)
    return _distinct(found)


def _distinct(found: Sequence[Found]) -> list[Found]:
    """Leaves out faces that a surer one covers."""
    kept: list[Found] = []
    for face in found:
        if all(_intersection_over_union(face.frame, other.frame) < 0.3 for other in kept):
            kept.append(face)
    return kept


def _intersection_over_union(one: Box, other: Box) -> float:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / (one.width * one.height + other.width * other.height - shared)
