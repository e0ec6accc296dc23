"""The networks of a model folder that find and verify candidates for a face refiner."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from image_gender_classifier import manifest
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceOutput, ModelEntry


class UsedNetworks(NamedTuple):
    """A model folder with the manifest entries of its networks.

    Attributes:
        folder: The model folder.
        detector: The TFLite face detector that finds candidates.
        gender: The TFLite gender network that verifies them.
        face_output: Its face output.
    """

    folder: Path
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
    detector = next((entry for entry in detectors if entry.format == "tflite"), None)
    verifiers = [
        (entry, entry.face_output)
        for entry in models.models.values()
        if entry.format == "tflite" and entry.face_output is not None
    ]
    if detector is None or not verifiers:
        raise ModelError(
            f"{folder}: lists not all networks that the training needs: a face detector in TFLite "
            "and a gender network with a face output in TFLite; use the folder models of a clone, "
            "or convert the networks first"
        )
    gender, face_output = verifiers[0]
    return UsedNetworks(folder, detector, gender, face_output)


def find_keras_detector(folder: Path) -> Path:
    """Returns the path of the first `.keras` face detector of a model folder.

    Raises:
        ModelError: The manifest of the folder cannot be read, or lists none.
    """
    for entry in manifest.load(folder).face_detectors.values():
        if entry.format == "keras":
            return folder / entry.file
    raise ModelError(
        f"{folder}: lists no face_detector.keras to start from; use the folder models of a clone, "
        "or --from"
    )
