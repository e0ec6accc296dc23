"""Opens the networks that find and judge candidates for the training of a face refiner."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier import manifest
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.errors import ModelError
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.train.refiner.candidates import Search

_FORMAT = "tflite"


def open_search(folder: Path) -> Search:
    """Opens the first converted face detector and gender network with a face output of a folder.

    Raises:
        ModelError: The folder lists no such networks, or a file is missing or corrupt.
        RuntimeMissing: No runtime for them is available.
    """
    models = manifest.load(folder)
    detectors = [entry for entry in models.face_detectors.values() if entry.format == _FORMAT]
    judges = [entry for entry in models.models.values() if entry.format == _FORMAT]
    for detector in detectors:
        for judge in judges:
            if judge.face_output is not None:
                verifier = FaceVerifier(
                    open_network(_FORMAT, folder, judge), judge, judge.face_output
                )
                network = open_network(_FORMAT, folder, detector)
                return Search(
                    FaceDetector(network, detector, verifier=verifier),
                    detector.frame_scale,
                    verifier,
                )
    raise ModelError(f"{folder}: lists no converted face detector and gender network")
