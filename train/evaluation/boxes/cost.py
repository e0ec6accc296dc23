"""CPU time of face detection, relative to a reference detector.

Both are measured alternately, so the ratio is comparable between machines and under load.
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

Find = Callable[[Picture], object]

REFERENCE = "lbp160"
_FILE = "lbpcascade_frontalface.xml"
_LONGEST = 160
_SMALLEST = 0.15  # of the shorter side
_PICTURES = 400
_ROUNDS = 3
_MILLISECONDS = 1000.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Mean CPU time of detection over all threads, in milliseconds per picture.

    Attributes:
        name: The set's name.
        n: Number of pictures.
        find: Time of the detector.
        reference: Time of the reference.
    """

    name: str
    n: int
    find: float
    reference: float

    @property
    def ratio(self) -> float:
        """The detector's time over the reference's."""
        return self.find / self.reference


def measure(pictures: TrialSet, detector: Detector, reference: Find) -> Cost | None:
    """Measures both on pictures spread evenly over a set; gives None if none is readable."""
    shown = _read(pictures)
    if not shown:
        return None
    bar = tqdm(shown, desc=f"{pictures.name}, time", unit="picture", disable=None)
    with _one_thread():
        times = np.array([_least_times(picture, detector.detect, reference) for picture in bar])
    find_mean, reference_mean = (times.mean(axis=0) * _MILLISECONDS).tolist()
    return Cost(pictures.name, len(shown), find_mean, reference_mean)


def open_reference() -> Find:
    """Opens the reference: the shipped LBP cascade with fixed settings.

    The settings are not those of the manifest, because the reference must not change with it.

    Raises:
        ModelError: The cascade is missing or damaged.
    """
    path = shipped_models() / _FILE
    cascade = _cascade(path)

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


def _cascade(path: Path) -> cv2.CascadeClassifier:
    cascade = cv2.CascadeClassifier()
    try:
        usable = cascade.load(str(path))
    except cv2.error:
        usable = False
    if not usable:
        raise ModelError(f"{path}: OpenCV cannot use it; reinstall the package")
    return cascade


def _read(pictures: TrialSet) -> list[Picture]:
    places = np.linspace(0, len(pictures.trials), min(_PICTURES, len(pictures.trials)), False)
    shown = []
    for place in places.astype(int).tolist():
        try:
            shown.append(pictures.trials[place].show().picture)
        except UnreadablePicture:
            continue
    return shown


def _least_times(picture: Picture, *finds: Find) -> list[float]:
    """Gives the minimum time in seconds of each function over alternating rounds.

    The minimum excludes disturbances by other programs and by first-use loading.
    """
    rounds = [[_seconds(find, picture) for find in finds] for _ in range(_ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _seconds(find: Find, picture: Picture) -> float:
    start = process_time()
    find(picture)
    return process_time() - start


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limits OpenCV to one thread."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
