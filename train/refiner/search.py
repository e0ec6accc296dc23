"""Opens the networks that find and verify candidates for the training of a face refiner."""

from __future__ import annotations

from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.train.refiner.candidates import Search
from image_gender_classifier.train.refiner.used_networks import UsedNetworks


def open_search(networks: UsedNetworks) -> Search:
    """Opens the face detector and the gender network.

    Raises:
        ModelError: A file is missing or corrupt.
        RuntimeMissing: No runtime for them is available.
    """
    folder, detector, gender, face_output = networks
    verifier = FaceVerifier(open_network("tflite", folder, gender), gender, face_output)
    network = FaceDetector(open_network("tflite", folder, detector), detector, verifier=verifier)
    return Search(network, detector.frame_scale, verifier)
