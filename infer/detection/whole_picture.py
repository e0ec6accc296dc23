"""The detector `none`: takes each picture as a face crop, without detection."""

from __future__ import annotations

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.results import Face


class WholePicture:
    """Takes each picture as a face crop, whose centred square is the face. Thread-safe.

    Attributes:
        framings: See `Detector`.
        cache_key: See `Detector`.
    """

    def __init__(self) -> None:
        self.framings = {"none": Framing(scale=1.0, shift_y=0.0)}
        self.cache_key: tuple[object, ...] = ()

    def detect(self, picture: Picture) -> list[Face]:
        """Returns one face, whose box is the largest centred square, in pixels of the original."""
        return [Face(geometry.find_central_square(picture.height, picture.width), "none")]


def open_detector(
    models: Manifest,  # noqa: ARG001  required by the registry
    runtime: str,  # noqa: ARG001
    min_face: float | None,
    all_faces: bool,
) -> Detector:
    """Opens the detector `none`; see `registry.open_detector`.

    Raises:
        UsageError: `min_face` or `all_faces` is given.
    """
    if min_face is not None or all_faces:
        option = "--all-faces" if all_faces else "--min-face"
        raise UsageError(
            f"{option} cannot be used with --detector none, which takes each picture as a face "
            f"crop; omit {option}, or choose another detector"
        )
    return WholePicture()
