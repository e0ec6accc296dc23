"""Runs the face detector network on views of a picture; detections in pixels of the original."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from image_gender_classifier.detection.turning import QUARTER_TURNS, turn_box_back, turn_pixels
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import INPUT_STEP, FaceDetectorEntry
from image_gender_classifier.results import Box, Turn
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.runtimes.networks import require_square_input


class View(NamedTuple):
    """A square of a picture as the network sees it.

    Attributes:
        picture: The picture.
        tile: The square, in pixels of `picture.pixels`.
        turn: Degrees by which it is turned clockwise.
        size: Side of the square in the network's input, in pixels; None for that of the usual
            input. Views in a sheet have half of the side of the usual input.
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
        """Runs the network on its usual input and on another, to fail early on a broken model.

        Raises:
            ModelError: The runtime cannot run the network, or the outputs have another shape than
                those of a face detector or are not finite.
            RuntimeMissing: See `Runtime.run`.
        """
        self._run(np.zeros((self.input_size, self.input_size, 3), np.uint8))
        if self._largest > self.input_size:
            # If possible one that is needed later, because the runtime may keep what it prepares.
            sheet = self._size_sheet(len(QUARTER_TURNS))
            usual = (self.input_size, self.input_size)
            height, width = sheet if sheet != usual else (INPUT_STEP, self._largest)
            self._run(np.zeros((height, width, 3), np.uint8))

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
        place = _make_placement(view, part, size)
        for face in decode_heatmap(heatmap, boxes, min_logit, self._cells):
            yield place(face)

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

        The views are below each other, or two by two if the network does not accept that.

        Args:
            views: The views, at least one and at most four.
            min_logit: Minimum logit of a detection.

        Returns:
            For each view its detections as in `detect`.

        Raises:
            ModelError, RuntimeMissing: See `warm_up`.
        """
        height, width = self._size_sheet(len(views))
        cell = self.input_size // 2
        across = width // cell
        sheet = np.full((height, width, 3), GREY, np.uint8)
        parts = [_cut(view) for view in views]
        small: dict[tuple[int, Tile], Pixels] = {}  # views may differ in their turn only
        for index, (view, part) in enumerate(zip(views, parts, strict=True)):
            key = id(view.picture), view.tile
            if key not in small:
                small[key] = shrink_to_fit(part, cell)
            top, left = (cell * number for number in divmod(index, across))
            turned = turn_pixels(small[key], view.turn)
            sheet[top : top + cell, left : left + cell] = pad(turned, cell, cell)
        places = [
            _make_placement(view, part, cell) for view, part in zip(views, parts, strict=True)
        ]
        found: list[list[Detection]] = [[] for _ in views]
        for face in decode_heatmap(*self._run(sheet), min_logit, self._cells):
            x, y, side, _ = face.frame
            row, column = int((y + side / 2) // cell), int((x + side / 2) // cell)
            index = across * row + column
            if row >= 0 and 0 <= column < across and index < len(views):
                in_cell = face._replace(frame=Box(x - cell * column, y - cell * row, side, side))
                found[index].append(places[index](in_cell))
        return found

    def _size_sheet(self, views: int) -> tuple[int, int]:
        """Returns height and width of a sheet of up to four views."""
        cell = self.input_size // 2
        if cell % INPUT_STEP == 0 and self.input_size < self._largest >= views * cell:
            return views * cell, cell
        return self.input_size, self.input_size

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
        shapes = [maps[channels].shape for channels in sorted(maps)]
        if shapes != [(1, rows, columns, 1), (1, rows, columns, 3)]:
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


def _make_placement(view: View, part: Pixels, size: int) -> Callable[[Detection], Detection]:
    """Returns a function that maps detections in a view to the original picture.

    Args:
        view: The view.
        part: Its pixels.
        size: Longer side of those pixels in the network's input, in pixels.
    """
    height, width = part.shape[:2]
    pixels_per_input = max(height, width) / size
    left, top, _ = view.tile
    turn, scale = view.turn, view.picture.scale

    def place(face: Detection) -> Detection:
        turned = scale_box(face.frame, pixels_per_input)
        x, y, *sides = turn_box_back(turned, turn, width, height)
        return Detection(scale_box(Box(left + x, top + y, *sides), scale), face.logit, turn)

    return place
