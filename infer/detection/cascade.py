"""Faces by one of OpenCV's cascades.

The search runs on a small grey copy, because a profile picture's face fills much of it: shrinking
first and skipping tiny faces is the largest gain of speed there is. OpenCV's cascade keeps state
while it searches, so threads share a pool of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from image_gender_classifier import manifest
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.imaging.resizing import halved
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import CascadeEntry
from image_gender_classifier.results import Box, Face
from image_gender_classifier.system.pool import Pool

_FINE = 2 / 3  # how little a picture must be shrunk for linear sampling to see all of it


class CascadeDetector:
    """Finds faces with one cascade, which is parsed when it is first needed.

    Args:
        models: The manifest of the folder where it lies.
        entry: Its manifest entry.
        smallest_face: Smallest box searched, as a share of a picture's shorter side; the entry's by
            default. Where a chosen one is smaller than what the cascade can see, the search runs on
            a larger copy.

    Raises:
        ModelError: Its file is missing or not the manifest's.
    """

    def __init__(
        self, models: Manifest, entry: CascadeEntry, smallest_face: float | None = None
    ) -> None:
        self._entry = entry
        data = manifest.read_verified(models.folder, entry)
        self._classifiers = Pool(lambda: _opened(entry, data))
        self._smallest = smallest_face or entry.smallest_face
        self._chosen = smallest_face is not None
        self.framings = {entry.detector: Framing(entry.frame_scale, entry.frame_shift_y)}
        self.cache_key = (*entry.cache_key, smallest_face)

    def detect(self, picture: Picture) -> list[Face]:
        """Finds the faces in a picture, unjudged, boxes in pixels of the original.

        Raises:
            ModelError: The cascade's file is damaged.
        """
        longest: float = self._entry.longest_side
        if self._chosen:
            shorter, longer = sorted(picture.pixels.shape[:2])
            window = max(self._classifiers.use(lambda each: each.getOriginalWindowSize()))
            longest = max(longest, window / self._smallest * longer / shorter)
        if longest > max(picture.pixels.shape):
            picture = picture.finer()
        grey = cast(Pixels, cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY))
        small = _shrink(grey, longest)
        across = picture.scale * grey.shape[1] / small.shape[1]
        down = picture.scale * grey.shape[0] / small.shape[0]
        return [
            Face(Box(x * across, y * down, width * across, height * down), self._entry.detector)
            for x, y, width, height in self._search(small)
        ]

    def _search(self, grey: Pixels) -> Sequence[Sequence[int]]:
        """Searches grey pixels (uint8, H x W); gives x, y, width and height of each box."""
        smallest = max(round(min(grey.shape) * self._smallest), 1)
        boxes = self._classifiers.use(
            lambda classifier: classifier.detectMultiScale(
                grey,
                scaleFactor=self._entry.scale_factor,
                minNeighbors=self._entry.min_neighbors,
                minSize=(smallest, smallest),
            )
        )
        # Where it finds nothing OpenCV gives an empty tuple, else an array.
        return np.asarray(boxes, dtype=int).reshape(-1, 4).tolist()


def _opened(entry: CascadeEntry, data: bytes) -> cv2.CascadeClassifier:
    text = data.decode("ascii", "replace")
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        classifier = cv2.CascadeClassifier()
        usable = classifier.read(storage.getFirstTopLevelNode())
    except (cv2.error, SystemError):  # SystemError: OpenCV's from a constructor
        usable = False
    if not usable:
        raise ModelError(f"{entry.file}: OpenCV cannot use it; install the package again")
    return classifier


def _shrink(grey: Pixels, longest_side: float) -> Pixels:
    """Shrinks a picture that is larger than the side given; never enlarges one."""
    halves, _ = halved(grey, longest_side)
    scale = longest_side / max(halves.shape)
    if scale >= 1:
        return halves
    height, width = (max(round(side * scale), 1) for side in halves.shape)
    way = cv2.INTER_LINEAR if scale > _FINE else cv2.INTER_AREA
    return cast(Pixels, cv2.resize(halves, (width, height), interpolation=way))
