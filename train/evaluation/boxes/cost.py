"""Measures the CPU time of face detection, relative to a reference detector.

The two detectors run alternately, so that the ratio is comparable between machines and under load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import cv2
import numpy as np
from tqdm import tqdm

from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import ModelError, UnreadablePicture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.evaluation.boxes.trials import TrialSet

DetectFunction = Callable[[Picture], object]

REFERENCE = "lbp160"
_FILE = "lbpcascade_frontalface.xml"
_LONGEST = 160  # longest side of the searched picture in pixels
_SMALLEST = 0.15  # smallest face as a fraction of the shorter side
_PICTURES = 400  # maximum number per set
_ROUNDS = 3
_MILLISECONDS = 1000.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Mean CPU time of detection on a set, summed over all threads, in milliseconds per picture.

    Attributes:
        name: Name of the set.
        n: Number of measured pictures.
        detector: CPU time of the detector.
        reference: CPU time of the reference detector.
    """

    name: str
    n: int
    detector: float
    reference: float

    @property
    def ratio(self) -> float:
        """CPU time of the detector divided by that of the reference detector."""
        return self.detector / self.reference


def measure_cost(pictures: TrialSet, detector: Detector, reference: DetectFunction) -> Cost | None:
    """Measures the CPU time of a detector and of the reference detector on a set.

    Args:
        pictures: The set; uses at most 400 evenly spaced pictures and skips unreadable ones.
        detector: The detector.
        reference: The function that `open_reference_detector` returned.

    Returns:
        The CPU times; None if no picture is readable.

    Raises:
        ModelError: The detector cannot run its model.
    """
    readable = _read_pictures(pictures)
    if not readable:
        return None
    bar = tqdm(readable, desc=f"{pictures.name}, time", unit="picture", disable=None)
    with _limit_to_one_thread():
        times = np.array(
            [_measure_minimum_times(picture, detector.detect, reference) for picture in bar]
        )
    detector_mean, reference_mean = (times.mean(axis=0) * _MILLISECONDS).tolist()
    return Cost(pictures.name, len(readable), detector_mean, reference_mean)


def open_reference_detector() -> DetectFunction:
    """Opens the reference detector: the shipped LBP cascade with fixed settings.

    Its settings are not read from the manifest, so that the reference never changes.

    Returns:
        A function that detects the faces in a picture.

    Raises:
        ModelError: The cascade is missing or corrupt.
    """
    path = shipped_models() / _FILE
    cascade = _open_cascade(path)

    def find(picture: Picture) -> object:
        grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
        height, width = grey.shape
        scale = min(_LONGEST / max(height, width), 1)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        least = max(round(min(size) * _SMALLEST), 1)
        return cascade.detectMultiScale(
            small, scaleFactor=1.1, minNeighbors=3, minSize=(least, least)
        )

    return find


def _open_cascade(path: Path) -> cv2.CascadeClassifier:
    """Loads a cascade with OpenCV.

    Raises:
        ModelError: The cascade is missing or corrupt.
    """
    cascade = cv2.CascadeClassifier()
    try:
        usable = cascade.load(str(path))
    except cv2.error:
        usable = False
    if not usable:
        raise ModelError(f"{path}: OpenCV cannot load the cascade; reinstall the package")
    return cascade


def _read_pictures(pictures: TrialSet) -> list[Picture]:
    """Reads at most `_PICTURES` evenly spaced pictures of a set; skips unreadable ones."""
    positions = np.linspace(0, len(pictures.trials), min(_PICTURES, len(pictures.trials)), False)
    readable = []
    for position in positions.astype(int).tolist():
        try:
            readable.append(pictures.trials[position].load().picture)
        except UnreadablePicture:
            continue
    return readable


def _measure_minimum_times(picture: Picture, *functions: DetectFunction) -> list[float]:
    """Measures the CPU time of each function on a picture: the minimum of alternating rounds.

    The minimum excludes delays caused by other programs and by loading on first use.

    Returns:
        CPU times in seconds, in the order of `functions`.
    """
    rounds = [[_measure_seconds(detect, picture) for detect in functions] for _ in range(_ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _measure_seconds(detect: DetectFunction, picture: Picture) -> float:
    """Returns the CPU time of one call in seconds, summed over all threads."""
    start = process_time()
    detect(picture)
    return process_time() - start


@contextmanager
def _limit_to_one_thread() -> Iterator[None]:
    """Context manager that limits OpenCV to one thread and restores the previous number."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
