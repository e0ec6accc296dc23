"""Opens the networks that find and verify candidates for the training of a face refiner."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.train.refiner.candidates import Search
from image_gender_classifier.train.refiner.used_networks import find_networks


def open_search(folder: Path) -> Search:
    """Opens the face detector and the gender network of `find_networks`.

    Raises:
        ModelError: The folder lists no such networks, or a file is missing or corrupt.
        RuntimeMissing: No runtime for them is available.
    """
    _, detector, gender, face_output = find_networks(folder)
    verifier = FaceVerifier(open_network("tflite", folder, gender), gender, face_output)
    network = FaceDetector(open_network("tflite", folder, detector), detector, verifier=verifier)
    return Search(network, detector.frame_scale, verifier)
