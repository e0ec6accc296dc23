"""The detector `lbp`: an OpenCV LBP cascade on a small grey copy of the picture.

The face of a portrait is large enough to be detected in a small copy, which is fast to search.
OpenCV's `CascadeClassifier` is not thread-safe, so threads use a pool of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from image_gender_classifier import manifest
from image_gender_classifier.detection.detector import Detector, missing_model_error
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.imaging.resizing import halve_repeatedly
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import CascadeEntry
from image_gender_classifier.results import Box, Face
from image_gender_classifier.system.pool import Pool

# Linear interpolation skips pixels below this scale.
_MIN_LINEAR_SCALE = 2 / 3
_ABOVE, _BELOW = cv2.INTER_LINEAR, cv2.INTER_AREA


class CascadeDetector:
    """Detects faces with a cascade. Thread-safe. The file is parsed at the first picture.

    Args:
        models: Manifest that lists the cascade.
        entry: Manifest entry of the cascade.
        smallest_face: Side of the smallest box, as a fraction of the picture's shorter side; None
            for that of the entry. If such a box would be smaller than the cascade's window, a
            larger copy is searched.

    Attributes:
        framings: See `Detector`.
        cache_key: See `Detector`.

    Raises:
        ModelError: The file cannot be read or does not match the hash in the manifest.
    """

    def __init__(
        self, models: Manifest, entry: CascadeEntry, smallest_face: float | None = None
    ) -> None:
        self._entry = entry
        data = manifest.read_verified(models.folder, entry)
        self._classifiers = Pool(lambda: _parse_cascade(entry, data))
        self._smallest = smallest_face or entry.smallest_face
        self._may_enlarge = smallest_face is not None
        self.framings = {entry.detector: Framing(entry.frame_scale, entry.frame_shift_y)}
        self.cache_key = (*entry.cache_key, smallest_face)

    def detect(self, picture: Picture) -> list[Face]:
        """Returns the faces in a picture, without gender; boxes in pixels of the original.

        Raises:
            ModelError: OpenCV cannot parse the file of the cascade.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        longest: float = self._entry.longest_side
        if self._may_enlarge:
            shorter, longer = sorted(picture.pixels.shape[:2])
            window = max(self._classifiers.use(cv2.CascadeClassifier.getOriginalWindowSize))
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
        """Returns x, y, width and height of each box that the cascade detects.

        Args:
            grey: uint8, H x W; the boxes are in pixels of this.
        """
        smallest = max(round(min(grey.shape) * self._smallest), 1)
        boxes = self._classifiers.use(
            lambda classifier: classifier.detectMultiScale(
                grey,
                scaleFactor=self._entry.scale_factor,
                minNeighbors=self._entry.min_neighbors,
                minSize=(smallest, smallest),
            )
        )
        # OpenCV returns an empty tuple without a face, else an array.
        return np.asarray(boxes, dtype=int).reshape(-1, 4).tolist()


def _parse_cascade(entry: CascadeEntry, data: bytes) -> cv2.CascadeClassifier:
    """Parses the XML of a cascade; raises `ModelError` if OpenCV cannot parse it."""
    text = data.decode("ascii", "replace")
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        classifier = cv2.CascadeClassifier()
        usable = classifier.read(storage.getFirstTopLevelNode())
    except (cv2.error, SystemError):  # SystemError: from OpenCV constructors
        usable = False
    if not usable:
        raise ModelError(f"{entry.file}: OpenCV cannot parse the cascade; reinstall the package")
    return classifier


def _shrink(grey: Pixels, longest_side: float) -> Pixels:
    """Shrinks a grey picture to a longest side in pixels; returns a smaller one unchanged.

    Args:
        grey: uint8, H x W.
        longest_side: Longest side of the result in pixels.
    """
    small, _ = halve_repeatedly(grey, longest_side)
    scale = longest_side / max(small.shape)
    if scale >= 1:
        return small
    height, width = (max(round(side * scale), 1) for side in small.shape)
    interpolation = _ABOVE if scale > _MIN_LINEAR_SCALE else _BELOW
    return cast(Pixels, cv2.resize(small, (width, height), interpolation=interpolation))


def find_cascade(models: Manifest) -> CascadeEntry:
    """Returns the first cascade of a manifest.

    Raises:
        ModelError: The manifest lists no cascade.
    """
    if not models.cascades:
        raise missing_model_error(models, "cascade", "reinstall the package")
    return models.cascades[0]


def open_detector(
    models: Manifest,
    runtime: str,  # noqa: ARG001  required by the registry
    min_face: float | None,
    all_faces: bool,  # noqa: ARG001  a cascade always detects all faces
) -> Detector:
    """Opens the detector `lbp`; see `registry.open_detector`."""
    return CascadeDetector(models, find_cascade(models), min_face)
