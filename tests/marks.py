"""A fake face detector network that sees faces in red marks, and pictures with such marks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.heatmap import STRIDE
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FaceDetectorEntry

SIZE = 128
CELLS = SIZE // STRIDE


class Marks:
    """A fake runtime that detects a red mark of enough pixels as a face twice as wide."""

    input_shape = (SIZE, SIZE, 3)
    input_dtype = "uint8"

    def __init__(
        self,
        least: int = 1,
        sure_from: int = 1,
        most: int = SIZE * SIZE,
        logits: tuple[float, float] = (-1, 4),
    ) -> None:
        self.calls = 0
        self._unsure, self._sure = logits
        self._least = least
        self._most = most
        self._sure_from = sure_from

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        self.calls += len(crops)
        heat = np.full((len(crops), CELLS, CELLS, 1), -9, np.float32)
        boxes = np.zeros((len(crops), CELLS, CELLS, 3), np.float32)
        for index, crop in enumerate(crops):
            red = (crop[..., 0] > 127) & (crop[..., 1:] < 127).all(axis=-1)
            if not self._least <= red.sum() <= self._most:
                continue
            rows, columns = (np.flatnonzero(red.any(axis=axis)) for axis in (1, 0))
            y, x = (np.mean([places[0], places[-1] + 1]) / STRIDE for places in (rows, columns))
            row, column = (min(int(place), CELLS - 1) for place in (y, x))
            heat[index, row, column] = self._sure if red.sum() >= self._sure_from else self._unsure
            side = 2 * (columns[-1] - columns[0] + 1) / SIZE
            boxes[index, row, column] = x - column - 0.5, y - row - 0.5, np.log(side)
        return boxes, heat


ENTRY = FaceDetectorEntry(
    file="detector.onnx",
    sha256="",
    bytes=0,
    input_shape=(SIZE, SIZE, 3),
    input_dtype="uint8",
    colour_order="RGB",
    detector="cnn",
    smallest_face=0.12,
    candidate_threshold=0.2,
    threshold=0.5,
    frame_scale=1.0,
    license="Apache-2.0",
)


def marked(height: int, width: int, top: int, left: int, side: int) -> Picture:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top : top + side, left : left + side] = (255, 0, 0)
    return Picture(pixels, 2 * width, 2 * height)
