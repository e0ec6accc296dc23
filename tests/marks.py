"""Fake networks that see faces in red marks, and pictures with such marks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from image_gender_classifier import manifest
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.heatmap import STRIDE
from image_gender_classifier.detection.turning import turn_pixels
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceRefinerEntry
from image_gender_classifier.results import Box, Turn

SIZE = 128
REFINER_SIZE = 64
SEARCH = manifest.load(shipped_models()).face_detectors["face_detector_int8.tflite"].search


class Marks:
    """A fake runtime that detects each red mark of enough pixels as a face twice as wide."""

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
        rows, columns = (side // STRIDE for side in crops.shape[1:3])
        heat = np.full((len(crops), rows, columns, 1), -9, np.float32)
        boxes = np.zeros((len(crops), rows, columns, 3), np.float32)
        for index, crop in enumerate(crops):
            red = (crop[..., 0] > 127) & (crop[..., 1:] < 127).all(axis=-1)
            _, _, places, _ = cv2.connectedComponentsWithStats(red.astype(np.uint8))
            for left, top, width, height, pixels in places[1:].tolist():
                if not self._least <= pixels <= self._most or not self.sees(crop, left, top, width):
                    continue
                x, y = (left + width / 2) / STRIDE, (top + height / 2) / STRIDE
                row, column = min(int(y), rows - 1), min(int(x), columns - 1)
                sure = pixels >= self._sure_from and self.is_sure(crop, left, top, width)
                heat[index, row, column] = self._sure if sure else self._unsure
                side = np.log(2 * width / SIZE)
                boxes[index, row, column] = x - column - 0.5, y - row - 0.5, side
        return boxes, heat

    def sees(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        """Returns whether a mark at this place in a crop is one that the network sees."""
        return True

    def is_sure(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        """Returns whether a mark of enough pixels at this place is surely a face."""
        return True


class UprightMarks(Marks):
    """Sees a face in a red mark only where green is below it."""

    def sees(self, crop: npt.NDArray[np.uint8], left: int, top: int, width: int) -> bool:
        below = crop[top + width // 2 + 3 :, left + width // 2]
        return bool(below.size and below[0, 1] > 127)


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
    search=SEARCH,
    license="Apache-2.0",
)


class RefinerMarks:
    """A fake runtime that refines the largest red mark in a view to a face twice as wide."""

    input_shape = (REFINER_SIZE, REFINER_SIZE, 3)
    input_dtype = "uint8"

    def __init__(self, logits: tuple[float, float]) -> None:
        self.calls = 0
        self._other, self._face = logits

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        self.calls += len(crops)
        logits = np.full((len(crops), 1), self._other, np.float32)
        corrections = np.zeros((len(crops), 3), np.float32)
        for index, crop in enumerate(crops):
            red = (crop[..., 0] > 127) & (crop[..., 1:] < 127).all(axis=-1)
            _, _, places, _ = cv2.connectedComponentsWithStats(red.astype(np.uint8))
            if len(places) == 1:
                continue
            left, top, width, height, _ = places[1:][np.argmax(places[1:, 4])].tolist()
            frame = REFINER_SIZE / REFINER_ENTRY.margin
            x, y = left + width / 2 - REFINER_SIZE / 2, top + height / 2 - REFINER_SIZE / 2
            corrections[index] = x / frame, y / frame, np.log(2 * width / frame)
            below = crop[min(top + height + 2, REFINER_SIZE - 1), left + width // 2]
            logits[index] = self._face if below[1] > 127 else self._other
        return corrections, logits


REFINER_ENTRY = FaceRefinerEntry(
    file="refiner.onnx",
    sha256="",
    bytes=0,
    input_shape=(REFINER_SIZE, REFINER_SIZE, 3),
    input_dtype="uint8",
    colour_order="RGB",
    margin=1.2,
    candidate_weight=0.5,
    lowest=-2.5,
    screened=-2.5,
    screened_turned=-2.25,
    surest=2.5,
    tile_weight=0.2,
    license="Apache-2.0",
)


def refiner(logits: tuple[float, float]) -> FaceRefiner:
    """A face refiner with a logit for marks, and another one where green is below them."""
    return FaceRefiner(RefinerMarks(logits), REFINER_ENTRY)


def marked(height: int, width: int, top: int, left: int, side: int) -> Picture:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top : top + side, left : left + side] = (255, 0, 0)
    return Picture(pixels, 2 * width, 2 * height)


def turn_picture(picture: Picture, turn: Turn) -> Picture:
    """Returns a picture turned clockwise."""
    size = (picture.width, picture.height)
    width, height = size if turn in (0, 180) else size[::-1]
    return Picture(np.ascontiguousarray(turn_pixels(picture.pixels, turn)), width, height)


def head(height: int, width: int, top: int, left: int, side: int) -> Picture:
    """A red mark on a green one, both half as high as wide."""
    picture = marked(height, width, top, left, side)
    picture.pixels[top + side // 2 : top + side, left : left + side] = (0, 255, 0)
    return picture


def middle(box: Box) -> tuple[float, float]:
    """Returns x and y of the centre of a box."""
    return box.x + box.width / 2, box.y + box.height / 2
