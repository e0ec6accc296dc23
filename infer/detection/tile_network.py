"""Runs the face detector network on tiles; returns detections in pixels of the original."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.geometry import scale_box
from image_gender_classifier.detection.heatmap import STRIDE, Detection, decode_heatmap
from image_gender_classifier.detection.tiling import Tile, letterbox
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceDetectorEntry
from image_gender_classifier.results import Box
from image_gender_classifier.runtimes import Runtime


class TileNetwork:
    """Runs the face detector network on tiles of a picture. Thread-safe.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.

    Attributes:
        input_size: Side of the network's square input in pixels.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(self, runtime: Runtime, entry: FaceDetectorEntry) -> None:
        size = entry.input_shape[0]
        signature = (runtime.input_shape, runtime.input_dtype, entry.input_shape)
        if (*signature, entry.colour_order) != ((size, size, 3), "uint8", (size, size, 3), "RGB"):
            raise ModelError(
                f"{entry.file}: the input is {runtime.input_dtype} {runtime.input_shape}, but "
                "square uint8 RGB pictures are required; reinstall the package"
            )
        self.input_size = size
        self._file = entry.file
        self._runtime = runtime

    def warm_up(self) -> None:
        """Runs the network once, to fail early on a broken model.

        Raises:
            ModelError: The runtime cannot run the network, or the outputs have another shape than
                those of a face detector or are not finite.
            RuntimeMissing: See `Runtime.run`.
        """
        self._run(np.zeros((self.input_size, self.input_size, 3), np.uint8))

    def detect_in_tiles(
        self, picture: Picture, tiles: Iterable[Tile], min_logit: float, flipped: bool = False
    ) -> Iterator[Detection]:
        """Runs the network on tiles, without non-maximum suppression (NMS).

        Args:
            picture: The picture.
            tiles: Tiles in pixels of `picture.pixels`.
            min_logit: Minimum logit of a detection.
            flipped: Whether to flip each tile horizontally before the network runs on it; the
                frames of the detections are flipped back.

        Yields:
            Detections, tile by tile, and in descending order of logit within a tile; frames in
            pixels of the original.

        Raises:
            ModelError, RuntimeMissing: See `warm_up`.
        """
        pixels = picture.pixels
        for left, top, side in tiles:
            part = pixels[top : top + side, left : left + side]
            seen = cast(Pixels, cv2.flip(part, 1)) if flipped else part
            heatmap, boxes = self._run(letterbox(seen, self.input_size))
            height, width = part.shape[:2]
            scale = max(height, width) / self.input_size
            for face in decode_heatmap(heatmap, boxes, min_logit):
                frame = scale_box(face.frame, scale)
                x = width - frame.x - frame.width if flipped else frame.x
                placed = Box(left + x, top + frame.y, frame.width, frame.height)
                yield Detection(scale_box(placed, picture.scale), face.logit)

    def _run(self, square: Pixels) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Runs the network on one input and checks the outputs.

        Args:
            square: uint8 RGB, S x S x 3, with S the input size.

        Returns:
            Heatmap (float32, G x G) and boxes (float32, G x G x 3); see `decode_heatmap`.

        Raises:
            ModelError, RuntimeMissing: See `warm_up`.
        """
        cells = self.input_size // STRIDE
        maps = {output.shape[-1]: output for output in self._runtime.run(square[np.newaxis])}
        shapes = {channels: output.shape for channels, output in maps.items()}
        if shapes != {channels: (1, cells, cells, channels) for channels in (1, 3)}:
            raise ModelError(
                f"{self._file}: the outputs are not those of a face detector; reinstall the package"
            )
        if not all(np.isfinite(output).all() for output in maps.values()):
            raise ModelError(
                f"{self._file}: the outputs are not finite, so the file is corrupt; reinstall the "
                "package"
            )
        return maps[1][0, ..., 0], maps[3][0]
