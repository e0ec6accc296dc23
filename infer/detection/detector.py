"""What every face detector offers, and the one for pictures that are crops already."""

from __future__ import annotations

from typing import Protocol

from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Face


class Detector(Protocol):
    """What finds faces, safe for any number of threads.

    Attributes:
        framings: By stage, how its boxes lie to the classifier's frame.
        decisive: What of its files and options decides a verdict.
    """

    framings: dict[str, Framing]
    cache_key: tuple[object, ...]

    def detect(self, picture: Picture) -> list[Face]:
        """Gives the faces in a picture, unjudged, boxes in pixels of the original."""
        ...


class WholePicture:
    """The detector for pictures that already are face crops."""

    def __init__(self) -> None:
        self.framings = {"none": Framing(scale=1.0, shift_y=0.0)}
        self.cache_key: tuple[object, ...] = ()

    def detect(self, picture: Picture) -> list[Face]:
        """Gives the picture's centred square as the one face."""
        return [Face(geometry.whole(picture.height, picture.width), "none")]
