"""Which detectors there are, and how the stages of one work together."""

from __future__ import annotations

from collections.abc import Sequence

from image_gender_classifier import manifest
from image_gender_classifier.cascades import CascadeDetector
from image_gender_classifier.choices import DetectorChoice
from image_gender_classifier.finder import FaceFinder
from image_gender_classifier.images import Picture
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.pipeline import Detector, WholePicture
from image_gender_classifier.runtimes import RuntimeName, open_model
from image_gender_classifier.verdict import Face

_FIRST = "lbp"  # the stage that `--detector lbp` leaves


class StagedDetector:
    """Detectors in turn, the cheapest first; the first that finds a face decides."""

    def __init__(self, stages: Sequence[Detector]) -> None:
        self._stages = stages
        self.framings = {name: way for stage in stages for name, way in stage.framings.items()}
        self.decisive = tuple(part for stage in stages for part in stage.decisive)

    def find(self, picture: Picture) -> list[Face]:
        """Finds the faces in a picture.

        Returns:
            Those of the first stage that finds any, unjudged, boxes in pixels of the original.

        Raises:
            ModelError: A stage's file is damaged.
        """
        for stage in self._stages:
            if found := stage.find(picture):
                return found
        return []


def open_detector(
    choice: DetectorChoice, models: Manifest, runtime: RuntimeName, min_face: float | None = None
) -> Detector:
    """Opens a detector.

    Args:
        choice: Which one.
        models: The manifest of the shipped models.
        runtime: What runs the face finder.
        min_face: The smallest face to look for, as a share of a picture's shorter side; None for
            what each stage's manifest entry says.

    Raises:
        ModelError: A file is missing, damaged or of another contract.
        RuntimeMissing: The runtime cannot be loaded.
    """
    if choice == "none":
        return WholePicture()
    cascades = [
        entry for entry in models.cascades if choice == "cascade" or entry.detector == _FIRST
    ]
    stages: list[Detector] = [CascadeDetector(models, entry, min_face) for entry in cascades]
    for entry in models.finders.values():
        if choice == "cascade" and entry.file.endswith(f".{runtime}"):
            network = open_model(runtime, manifest.read_verified(models.folder, entry))
            stages.append(FaceFinder(network, entry, min_face))
    return StagedDetector(stages)
