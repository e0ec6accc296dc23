"""The interface of face detectors."""

from __future__ import annotations

from typing import Protocol

from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest import NAME, Manifest
from image_gender_classifier.results import Face


class Detector(Protocol):
    """Interface of all face detectors. Thread-safe.

    Attributes:
        framings: Mapping from a detected bounding box to the classifier's square frame, for each
            value of `Face.detector` that `detect` returns.
        cache_key: The model hashes and options that affect detections; part of the `run` hash.
    """

    framings: dict[str, Framing]
    cache_key: tuple[object, ...]

    def detect(self, picture: Picture) -> list[Face]:
        """Returns the faces in a picture, without gender; boxes in pixels of the original.

        Raises:
            ModelError, RuntimeMissing: A model cannot be parsed or run.
            UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
        """
        ...


def missing_model_error(models: Manifest, kind: str, remedy: str) -> ModelError:
    """Returns the `ModelError` for a manifest that lacks a kind of model.

    Args:
        models: The manifest.
        kind: The kind of model, such as `cascade`.
        remedy: What the user can do, as an imperative clause.
    """
    return ModelError(f"{models.folder / NAME}: the manifest lists no {kind}; {remedy}")
