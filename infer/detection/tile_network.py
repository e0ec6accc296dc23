"""Runs the face detector network on views of a picture; detections in pixels of the original."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.geometry import scale_box
from image_gender_classifier.detection.heatmap import STRIDE, Detection, decode_heatmap
from image_gender_classifier.detection.tiling import (
    GREY,
    Tile,
    letterbox,
    letterbox_large,
    make_tiles,
    pad,
    shrink_to_fit,
)
from image_gender_classifier.detection.turning import turn_box_back, turn_pixels
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import INPUT_STEP, FaceDetectorEntry
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.runtimes.networks import require_square_input

_ACROSS = 2  # views side by side in a sheet


class View(NamedTuple):
    """A square of a picture as the network sees it.

    Attributes:
        picture: The picture.
        tile: The square, in pixels of `picture.pixels`.
        turn: Degrees by which it is turned clockwise.
        size: Side of the square in the network's input, in pixels; None for that of the usual
            input. Views in a sheet have half of that.
    """

    picture: Picture
    tile: Tile
    turn: Turn = 0
    size: int | None = None


class TileNetwork:
    """Runs the face detector network on views of a picture. Thread-safe.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.

    Attributes:
        input_size: Side of the network's usual input, a square, in pixels.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(self, runtime: Runtime, entry: FaceDetectorEntry) -> None:
        self.input_size = require_square_input(runtime, entry)
        self._largest = max(entry.largest_input or 0, self.input_size)
        self._cells = self.input_size // STRIDE
        self._file = entry.file
        self._runtime = runtime

    def warm_up(self) -> None:
        """Runs the network once for each kind of input, to fail early on a broken model.

        Raises:
            ModelError: The runtime cannot run the network, or the outputs have another shape than
                those of a face detector or are not finite.
            RuntimeMissing: See `Runtime.run`.
        """
        self._run(np.zeros((self.input_size, self.input_size, 3), np.uint8))
        if self._largest > self.input_size:
            self._run(np.zeros((INPUT_STEP, self._largest, 3), np.uint8))

    def detect(self, view: View, min_logit: float) -> Iterator[Detection]:
        """Runs the network on a view, without non-maximum suppression (NMS).

        Args:
            view: The view.
            min_logit: Minimum logit of a detection.

        Yields:
            Detections in descending order of logit; frames in pixels of the original, upright.

        Raises:
            ModelError, RuntimeMissing: See `warm_up`.
        """
        part = _cut(view)
        size = view.size or self.input_size
        fit = letterbox if size == self.input_size else letterbox_large
        heatmap, boxes = self._run(fit(part, size, view.turn))
        for face in decode_heatmap(heatmap, boxes, min_logit, self._cells):
            yield _place(face, view, part, size)

    def detect_in_pass(
        self,
        picture: Picture,
        side: int,
        min_logit: float,
        turn: Turn = 0,
        *,
        large: bool = False,
    ) -> Iterator[Detection]:
        """Runs the network on tiles that cover a picture, turned clockwise by `turn`.

        Args:
            picture: The picture.
            side: How many pixels of `picture.pixels` the usual input shows.
            min_logit: See `detect`.
            turn: Degrees by which each tile is turned clockwise.
            large: Whether to use few larger inputs instead of many usual ones, if the network
                accepts them. They take less time, but small tiles show most faces several times.

        Yields:
            See `detect`; the detections of one tile after those of another.

        Raises:
            ModelError, RuntimeMissing: See `warm_up`.
        """
        height, width = picture.pixels.shape[:2]
        largest = self._largest / self.input_size if large else 1.0
        for tile in make_tiles(height, width, side, largest):
            size = round(self.input_size * tile.side / side)
            yield from self.detect(View(picture, tile, turn, size), min_logit)

    def detect_in_sheet(self, views: Sequence[View], min_logit: float) -> list[list[Detection]]:
        """Runs the network once on up to four views, each at half the resolution.

        Args:
            views: The views, at most four.
            min_logit: Minimum logit of a detection.

        Returns:
            For each view its detections as in `detect`.

        Raises:
            ModelError, RuntimeMissing: See `warm_up`.
        """
        cell = self.input_size // _ACROSS
        sheet = np.full((self.input_size, self.input_size, 3), GREY, np.uint8)
        parts = [_cut(view) for view in views]
        small: dict[tuple[int, Tile], Pixels] = {}  # views may differ in their turn only
        for index, (view, part) in enumerate(zip(views, parts, strict=True)):
            key = id(view.picture), view.tile
            if key not in small:
                small[key] = shrink_to_fit(part, cell)
            top, left = (cell * place for place in divmod(index, _ACROSS))
            turned = turn_pixels(small[key], view.turn)
            sheet[top : top + cell, left : left + cell] = pad(turned, cell, cell)
        found: list[list[Detection]] = [[] for _ in views]
        for face in decode_heatmap(*self._run(sheet), min_logit, self._cells):
            x, y, side, _ = face.frame
            row, column = int((y + side / 2) // cell), int((x + side / 2) // cell)
            index = _ACROSS * row + column
            if row >= 0 and 0 <= column < _ACROSS and index < len(views):
                in_cell = face._replace(frame=Box(x - cell * column, y - cell * row, side, side))
                found[index].append(_place(in_cell, views[index], parts[index], cell))
        return found

    def _run(self, pixels: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Runs the network on one input and checks the outputs.

        Args:
            pixels: uint8 RGB, H x W x 3.

        Returns:
            Heatmap (float32, H/8 x W/8) and boxes (float32, H/8 x W/8 x 3); see `decode_heatmap`.

        Raises:
            ModelError, RuntimeMissing: See `warm_up`.
        """
        rows, columns = (side // STRIDE for side in pixels.shape[:2])
        maps = {output.shape[-1]: output for output in self._runtime.run(pixels[np.newaxis])}
        shapes = {channels: output.shape for channels, output in maps.items()}
        if shapes != {channels: (1, rows, columns, channels) for channels in (1, 3)}:
            raise ModelError(
                f"{self._file}: the outputs are not those of a face detector; reinstall the package"
            )
        if not all(np.isfinite(output).all() for output in maps.values()):
            raise ModelError(
                f"{self._file}: the outputs are not finite, so the file is corrupt; reinstall the "
                "package"
            )
        return maps[1][0, ..., 0], maps[3][0]


def _cut(view: View) -> Pixels:
    """Returns the pixels of a view's tile that are inside the picture, not turned."""
    left, top, side = view.tile
    return view.picture.pixels[top : top + side, left : left + side]


def _place(face: Detection, view: View, part: Pixels, size: int) -> Detection:
    """Maps a detection to the original picture.

    Args:
        face: Detection in a view, in pixels of the network's input.
        view: The view.
        part: Its pixels.
        size: Longer side of those pixels in the network's input, in pixels.
    """
    height, width = part.shape[:2]
    turned = scale_box(face.frame, max(height, width) / size)
    x, y, *sides = turn_box_back(turned, view.turn, width, height)
    in_pixels = Box(view.tile.left + x, view.tile.top + y, *sides)
    return Detection(scale_box(in_pixels, view.picture.scale), face.logit, view.turn)
