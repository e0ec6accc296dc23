"""The networks of a model folder that the training of a face refiner uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import (
    FaceDetectorEntry,
    FaceOutput,
    FaceRefinerEntry,
    ModelEntry,
)


class UsedNetworks(NamedTuple):
    """Manifest entries of networks.

    Attributes:
        folder: The model folder.
        start: The `.keras` network whose weights the refiner starts from: a face refiner if there
            is one, otherwise the face detector.
        detector: The TFLite face detector that finds candidates.
        gender: The TFLite gender network that verifies them.
        face_output: Its face output.
    """

    folder: Path
    start: FaceRefinerEntry | FaceDetectorEntry
    detector: FaceDetectorEntry
    gender: ModelEntry
    face_output: FaceOutput


def find_networks(folder: Path) -> UsedNetworks:
    """Returns the first network of each kind in a model folder.

    Raises:
        ModelError: The manifest of the folder cannot be read, or lists not all of them.
    """
    models = manifest.load(folder)
    detectors = models.face_detectors.values()
    starts: Iterable[FaceRefinerEntry | FaceDetectorEntry] = (
        *models.face_refiners.values(),
        *detectors,
    )
    start = next((entry for entry in starts if entry.format == "keras"), None)
    detector = next((entry for entry in detectors if entry.format == "tflite"), None)
    verifiers = [
        (entry, entry.face_output)
        for entry in models.models.values()
        if entry.format == "tflite" and entry.face_output is not None
    ]
    if start is None or detector is None or not verifiers:
        raise ModelError(
            f"{folder}: lists not all networks that the training needs: face_refiner.keras or "
            "face_detector.keras, the TFLite file of the face detector and a gender network with a "
            "face output in TFLite; use the folder models of a clone, or convert the networks first"
        )
    gender, face_output = verifiers[0]
    return UsedNetworks(folder, start, detector, gender, face_output)
