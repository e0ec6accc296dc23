"""The interface of face detectors."""

from __future__ import annotations

from typing import Protocol

from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest import NAME, Manifest
from image_gender_classifier.results import Face


class Detector(Protocol):
    """Finds faces. Thread-safe.

    Attributes:
        framings: Mapping from a box to the classifier's frame, by the value of `Face.detector`.
        cache_key: The values of its files and options that predictions depend on.
    """

    framings: dict[str, Framing]
    cache_key: tuple[object, ...]

    def detect(self, picture: Picture) -> list[Face]:
        """Returns the faces in a picture, unclassified, boxes in pixels of the original.

        Raises:
            ModelError: A model file is corrupt.
            UnreadablePicture: The picture cannot be decoded again at a higher resolution.
        """
        ...


def missing_model(models: Manifest, kind: str, remedy: str) -> ModelError:
    """Returns the error for a manifest that lacks a kind of model."""
    return ModelError(f"{models.folder / NAME}: lists no {kind}; {remedy}")
