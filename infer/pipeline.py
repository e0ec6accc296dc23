"""One picture's way: find the faces, choose the main one, cut its crop, judge it."""

from __future__ import annotations

import numpy as np

from image_gender_classifier.classification.classifier import Classification, Classifier
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.results import Box, Face, Gender, Prediction, Status
from image_gender_classifier.system.profiling import OFF, Clock


def classify(
    picture: Picture,
    file: str,
    detector: Detector,
    classifier: Classifier,
    all_faces: bool = False,
    clock: Clock = OFF,
) -> Prediction:
    """Gives the verdict on a picture, by its main face.

    Args:
        picture: The decoded picture.
        file: Its path below the input folder, for the verdict.
        detector: What finds the faces.
        classifier: What judges the main face.
        all_faces: Judge the others too.
        clock: Measures the stages.
    """
    found = geometry.main_first(detector.detect(picture), picture.width, picture.height)
    clock.lap("find the face")
    if not found:
        return Prediction(file, "no_face", "unknown")
    shown = found if all_faces else found[:1]
    crops = [crop_of(picture, face, detector, classifier.crop_size) for face in shown]
    clock.lap("cut the crop")
    classifications = classifier.classify(np.stack(crops))
    clock.lap("judge it")
    classified = [
        _classified(face, classification)
        for face, classification in zip(shown, classifications, strict=True)
    ]
    main = classified[0]
    status: Status = "classified" if classifications[0].certain else "uncertain"
    gender = main.gender or "unknown"
    return Prediction(
        file, status, gender, main.confidence, (*classified, *found[len(classified) :])
    )


def _classified(face: Face, classification: Classification) -> Face:
    gender: Gender = classification.likelier if classification.certain else "unknown"
    return face._replace(gender=gender, confidence=classification.confidence)


def crop_of(picture: Picture, face: Face, detector: Detector, size: int) -> Pixels:
    """Cuts a face's crop, from finer pixels where the picture's are too few for it."""
    square = frame_of(picture, face, detector)
    if square.width < size:
        picture = picture.finer()
        square = frame_of(picture, face, detector)
    return geometry.crop(picture.pixels, square, size)


def frame_of(picture: Picture, face: Face, detector: Detector) -> Box:
    """Places the classifier's frame around a face, in the picture's working pixels."""
    square = geometry.frame(face.box, detector.framings[face.detector])
    side = square.width / picture.scale
    return Box(square.x / picture.scale, square.y / picture.scale, side, side)


def find_frame(picture: Picture, detector: Detector) -> Box | None:
    """Finds the main face's frame, in the picture's working pixels; None where there is no face."""
    found = geometry.main_first(detector.detect(picture), picture.width, picture.height)
    return frame_of(picture, found[0], detector) if found else None


def find_crop(picture: Picture, detector: Detector, size: int) -> Pixels | None:
    """The main face's crop, or None where there is no face; training cuts its crops by this."""
    found = geometry.main_first(detector.detect(picture), picture.width, picture.height)
    return crop_of(picture, found[0], detector, size) if found else None
