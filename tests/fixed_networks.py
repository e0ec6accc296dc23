"""Fake networks and detectors with fixed results."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box, Face


class FixedNetwork:
    """A runtime that gives the same outputs for any inputs, and keeps the inputs in `seen`."""

    input_dtype = "uint8"

    def __init__(self, side: int, *outputs: npt.ArrayLike) -> None:
        self.input_shape = (side, side, 3)
        self.seen: list[npt.NDArray[np.uint8]] = []
        self._outputs = tuple(np.array(output, np.float32) for output in outputs)

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        self.seen.extend(crops)
        return self._outputs


class FixedDetector:
    """Finds the given faces in every picture, with either of two stages."""

    cache_key: tuple[object, ...] = ()

    def __init__(self, *boxes: Box, stage: str = "first", score: float | None = None) -> None:
        self.framings = {"first": Framing(1.0, 0.0), "second": Framing(2.0, 0.5)}
        self._faces = [Face(box, stage, score=score) for box in boxes]

    def detect(self, picture: Picture) -> list[Face]:
        return self._faces
