"""The detector `network`: face detector, face refiner and the gender network's face output."""

from __future__ import annotations

from image_gender_classifier.detection.detector import Detector, missing_model_error
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.face_verifier import FaceVerifier
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.runtimes.registry import RUNTIMES


def open_detector(
    models: Manifest, runtime: str, min_face: float | None, all_faces: bool
) -> Detector:
    """Opens the detector `network`; see `registry.open_detector`."""
    return open_face_detector(models, runtime, min_face, all_faces)


def open_face_detector(
    models: Manifest, runtime: str, min_face: float | None, all_faces: bool
) -> FaceDetector:
    """Opens a manifest's first face detector network; see `registry.open_detector`.

    Raises:
        ModelError: There is none, or its file is missing, corrupt or incompatible.
        RuntimeMissing: The runtime cannot be loaded or does not work on this machine.
    """
    wanted = RUNTIMES[runtime]
    for entry in models.face_detectors.values():
        if entry.format == wanted.format:
            network = open_network(runtime, models.folder, entry)
            verifier = _open_verifier(models, runtime)
            refiner = _open_refiner(models, runtime)
            face_detector = FaceDetector(network, entry, min_face, verifier, all_faces, refiner)
            if wanted.fork_safe:
                face_detector.warm_up()
                if refiner is not None:
                    refiner.warm_up()
            return face_detector
    raise missing_model_error(
        models, f"face detector network for {runtime}", "choose --detector lbp or none"
    )


def _open_refiner(models: Manifest, runtime: str) -> FaceRefiner | None:
    """Opens a manifest's first face refiner in the format of the runtime; None if there is none.

    Raises:
        ModelError, RuntimeMissing: See `open_face_detector`.
    """
    for entry in models.face_refiners.values():
        if entry.format == RUNTIMES[runtime].format:
            return FaceRefiner(open_network(runtime, models.folder, entry), entry)
    return None


def _open_verifier(models: Manifest, runtime: str) -> FaceVerifier | None:
    """Opens a manifest's first gender network with a face output in the format of the runtime.

    Returns:
        The verifier; None if no network has a face output.

    Raises:
        ModelError, RuntimeMissing: See `open_face_detector`.
    """
    for entry in models.models.values():
        if entry.format == RUNTIMES[runtime].format and entry.face_output is not None:
            network = open_network(runtime, models.folder, entry)
            return FaceVerifier(network, entry, entry.face_output)
    return None
