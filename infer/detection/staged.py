"""The detector `cascade`: an LBP cascade, confirmed and completed by a face detector network."""

from __future__ import annotations

from collections.abc import Sequence

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.cascade import CascadeDetector, cascade_entry
from image_gender_classifier.detection.detector import Detector, missing_model
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.results import Face
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.runtimes.registry import RUNTIMES

# Share of the largest possible prominence. The faces of 99 % of portraits exceed it.
_PROMINENT = 0.22


class StagedDetector:
    """Runs a fast cascade, then the face detector network.

    The network confirms each face of the cascade and corrects its frame. It searches the picture
    only if the cascade finds no prominent face.

    Args:
        cascade: First stage.
        face_detector: Second stage.
        all_faces: Find every face, even if one of them is prominent.
    """

    def __init__(
        self, cascade: CascadeDetector, face_detector: FaceDetector, all_faces: bool = False
    ) -> None:
        self._cascade = cascade
        self._face_detector = face_detector
        self._all_faces = all_faces
        identity = Framing(scale=1.0, shift_y=0.0)  # a box of the network is a frame
        self.framings = dict.fromkeys((*cascade.framings, *face_detector.framings), identity)
        self.cache_key = (*cascade.cache_key, *face_detector.cache_key, all_faces)

    def detect(self, picture: Picture) -> list[Face]:
        """Finds the faces in a picture.

        Returns:
            The confirmed faces of the cascade if one of them is prominent, else those of both
            stages. Unclassified, boxes (the classifier's frames) in pixels of the original.

        Raises:
            ModelError: The file of a stage is corrupt.
            UnreadablePicture: The picture cannot be decoded again at a higher resolution.
        """
        confirmed = self._confirm(picture, self._cascade.detect(picture))
        if not self._all_faces and any(_is_prominent(face, picture) for face in confirmed):
            return confirmed
        return confirmed + self._face_detector.detect(
            picture, [face.box for face in confirmed], self._all_faces
        )

    def _confirm(self, picture: Picture, faces: Sequence[Face]) -> list[Face]:
        """Returns the faces of the cascade that the network detects too."""
        return [
            face
            for stage, framing in self._cascade.framings.items()
            for face in self._face_detector.confirm(
                picture, (geometry.frame(face.box, framing) for face in faces), stage
            )
        ]


def _is_prominent(face: Face, picture: Picture) -> bool:
    return geometry.prominence(face.box, picture.width, picture.height) >= _PROMINENT


def open_detector(
    models: Manifest, runtime: str, min_face: float | None, all_faces: bool
) -> Detector:
    """Opens the detector; see `registry.open_detector`."""
    entry = cascade_entry(models)
    # The network finds small faces faster than the cascade, which would need a larger copy.
    smallest = None if min_face is None else max(min_face, entry.smallest_face)
    cascade = CascadeDetector(models, entry, smallest)
    return StagedDetector(cascade, _open_network(models, runtime, min_face), all_faces)


def _open_network(models: Manifest, runtime: str, min_face: float | None) -> FaceDetector:
    wanted = RUNTIMES[runtime]
    for entry in models.face_detectors.values():
        if entry.format == wanted.format:
            network = open_network(runtime, models.folder, entry)
            face_detector = FaceDetector(network, entry, min_face)
            if wanted.fork_safe:
                face_detector.warm_up()
            return face_detector
    raise missing_model(
        models, f"face detector network for {runtime}", "choose --detector lbp or none"
    )
