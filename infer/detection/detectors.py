"""Which detectors there are, and how a cascade and the face finder work together."""

from __future__ import annotations

from collections.abc import Sequence

from image_gender_classifier import manifest
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.cascade import CascadeDetector
from image_gender_classifier.detection.detector import Detector, WholePicture
from image_gender_classifier.detection.face_detector import FaceDetector
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.results import Face
from image_gender_classifier.runtimes import RuntimeName
from image_gender_classifier.runtimes.networks import open_network
from image_gender_classifier.settings import DetectorChoice

_PROMINENT = 0.22  # of what a face could be at most; all but one in a hundred portraits' are more


class StagedDetector:
    """A cascade's quick search, confirmed by the face finder, which searches where that fails.

    Args:
        cascade: The first stage.
        finder: The second; it also looks at each face of the first, leaves out what is none, and
            places the frames of the others.
        every: Search for every face, however prominent one of them is.
    """

    def __init__(
        self, cascade: CascadeDetector, face_detector: FaceDetector, every: bool = False
    ) -> None:
        self._cascade = cascade
        self._face_detector = face_detector
        self._every = every
        as_they_are = Framing(scale=1.0, shift_y=0.0)  # the finder's frames are the classifier's
        self.framings = dict.fromkeys((*cascade.framings, *face_detector.framings), as_they_are)
        self.cache_key = (*cascade.cache_key, *face_detector.cache_key, every, _PROMINENT)

    def detect(self, picture: Picture) -> list[Face]:
        """Finds the faces in a picture.

        Returns:
            Those of the cascade if one of them is so prominent that hardly another can be more,
            else those of both stages; unjudged, boxes (the classifier's frames) in pixels of the
            original.

        Raises:
            ModelError: A stage's file is damaged.
            UnreadablePicture: The picture cannot be decoded again.
        """
        found = self._confirmed(picture, self._cascade.detect(picture))
        if not self._every and any(_is_prominent(face, picture) for face in found):
            return found
        return found + self._face_detector.detect(
            picture, [face.box for face in found], self._every
        )

    def _confirmed(self, picture: Picture, searched: Sequence[Face]) -> list[Face]:
        """Those of the cascade's faces that the finder sees too."""
        return [
            face
            for stage, framing in self._cascade.framings.items()
            for face in self._face_detector.confirm(
                picture, (geometry.frame(face.box, framing) for face in searched), stage
            )
        ]


def _is_prominent(face: Face, picture: Picture) -> bool:
    return geometry.prominence(face.box, picture.width, picture.height) >= _PROMINENT


def open_detector(
    choice: DetectorChoice,
    models: Manifest,
    runtime: RuntimeName,
    min_face: float | None = None,
    every: bool = False,
) -> Detector:
    """Opens a detector.

    Args:
        choice: Which one.
        models: The manifest of the shipped models.
        runtime: What runs the face finder.
        min_face: The smallest face to look for, as a share of a picture's shorter side; None for
            what each stage's manifest entry says.
        every: Search for every face.

    Raises:
        ModelError: A file is missing, damaged or of another contract.
        RuntimeMissing: The runtime cannot be loaded.
        UsageError: Something is wanted of `none`, which does not search.
    """
    if choice == "none":
        if min_face is not None or every:
            left_out = "all faces" if every else "the smallest face"
            raise UsageError(
                f"detector none takes each picture for a face and searches for none; leave out "
                f"{left_out}, or choose another detector"
            )
        return WholePicture()
    if not models.cascades:
        raise _missing(models, "cascade")
    quick = models.cascades[0]
    if choice == "lbp":
        return CascadeDetector(models, quick, min_face)
    # The finder sees small faces sooner than a cascade that must search a larger copy for them.
    least = None if min_face is None else max(min_face, quick.smallest_face)
    cascade = CascadeDetector(models, quick, least)
    for entry in models.face_detectors.values():
        if entry.file.endswith(f".{runtime}"):
            network = open_network(runtime, models.folder, entry)
            face_detector = FaceDetector(network, entry, min_face)
            face_detector.warm_up()
            return StagedDetector(cascade, face_detector, every)
    raise _missing(models, f"face finder for {runtime}")


def _missing(models: Manifest, what: str) -> ModelError:
    return ModelError(
        f"{models.folder / manifest.NAME}: knows no {what}; install the package again"
    )
