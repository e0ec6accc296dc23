"""The detector `cascade`: an LBP cascade, confirmed and completed by a face detector network."""

from __future__ import annotations

from collections.abc import Sequence

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.cascade import CascadeDetector, find_cascade
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.network import open_face_detector
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.results import Face

# Prominence (`geometry.compute_prominence`) from which a face is the main face without a search for
# others; 99 % of portraits exceed it.
_PROMINENT = 0.22


class StagedDetector:
    """Detects faces with a fast cascade, then with the face detector network. Thread-safe.

    The network confirms each face of the cascade and corrects its frame. It searches the picture
    for other faces only if no confirmed face is prominent.

    Args:
        cascade: First stage.
        face_detector: Second stage.
        all_faces: Whether the network searches the picture even if a face is prominent.

    Attributes:
        framings: See `Detector`.
        cache_key: See `Detector`.
    """

    def __init__(
        self, cascade: CascadeDetector, face_detector: FaceDetector, all_faces: bool = False
    ) -> None:
        self._cascade = cascade
        self._face_detector = face_detector
        self._all_faces = all_faces
        identity = Framing(scale=1.0, shift_y=0.0)  # the network's boxes are frames
        self.framings = dict.fromkeys((*cascade.framings, *face_detector.framings), identity)
        self.cache_key = (*cascade.cache_key, *face_detector.cache_key)

    def detect(self, picture: Picture) -> list[Face]:
        """Detects the faces in a picture.

        Returns:
            The confirmed faces of the cascade, and those of the network if it searches the picture;
            without gender, boxes are the classifier's frames in pixels of the original.

        Raises:
            ModelError, RuntimeMissing: The model of a stage cannot be parsed or run.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        confirmed = self._confirm(picture, self._cascade.detect(picture))
        if not self._all_faces and any(_is_prominent(face, picture) for face in confirmed):
            return confirmed
        return confirmed + self._face_detector.detect(picture, [face.box for face in confirmed])

    def _confirm(self, picture: Picture, faces: Sequence[Face]) -> list[Face]:
        """Returns the faces of the cascade that the network confirms, with corrected boxes."""
        return [
            face
            for stage, framing in self._cascade.framings.items()
            for face in self._face_detector.confirm(
                picture, (geometry.map_to_frame(face.box, framing) for face in faces), stage
            )
        ]


def _is_prominent(face: Face, picture: Picture) -> bool:
    """Returns whether a face is prominent enough to be the main face; see `_PROMINENT`."""
    return geometry.compute_prominence(face.box, picture.width, picture.height) >= _PROMINENT


def open_detector(
    models: Manifest, runtime: str, min_face: float | None, all_faces: bool
) -> Detector:
    """Opens the detector `cascade`; see `registry.open_detector`."""
    entry = find_cascade(models)
    # Only the network detects smaller faces: the cascade would need a larger copy of the picture.
    smallest = None if min_face is None else max(min_face, entry.smallest_face)
    cascade = CascadeDetector(models, entry, smallest)
    face_detector = open_face_detector(models, runtime, min_face, all_faces)
    return StagedDetector(cascade, face_detector, all_faces)
