"""Classifies one picture: detects faces, cuts a crop of the main face and predicts its gender."""

from __future__ import annotations

import numpy as np

from image_gender_classifier.classification.classifier import Classification, Classifier
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.detection.turning import turn_pixels
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
    """Detects the faces of a picture and predicts the gender of the main face.

    Args:
        picture: The decoded picture.
        file: Name of the picture in the prediction.
        detector: Detects the faces.
        classifier: Classifies crops of faces.
        all_faces: Whether to classify the other faces too.
        clock: Measures the stages.

    Returns:
        The prediction, without `run`; the status is `classified`, `uncertain` or `no_face`.

    Raises:
        ModelError, RuntimeMissing: A model cannot be parsed or run.
        UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
    """
    found = geometry.sort_main_face_first(detector.detect(picture), picture.width, picture.height)
    clock.lap("find the face")
    if not found:
        return Prediction(file, "no_face", "unknown")
    chosen = found if all_faces else found[:1]
    crops = [cut_face_crop(picture, face, detector, classifier.crop_size) for face in chosen]
    clock.lap("cut the crop")
    # Stacking a single crop would copy it.
    batch = np.stack(crops) if len(crops) > 1 else crops[0][np.newaxis]
    classifications = classifier.classify(batch)
    clock.lap("classify")
    classified = [
        _add_results(face, classification, detector)
        for face, classification in zip(chosen, classifications, strict=True)
    ]
    main = classified[0]
    status: Status = "classified" if classifications[0].certain else "uncertain"
    gender = main.gender or "unknown"
    faces = (*classified, *found[len(classified) :])
    return Prediction(file, status, gender, main.confidence, faces, p_female=main.p_female)


def _add_results(face: Face, classification: Classification, detector: Detector) -> Face:
    """Returns a face with gender (`unknown` below the threshold), confidence and `p_female`.

    Its box is corrected if the face detector network has found or confirmed it.
    """
    gender: Gender = classification.gender if classification.certain else "unknown"
    box = face.box
    is_frame = detector.framings[face.detector] == Framing(scale=1.0, shift_y=0.0)
    located = is_frame and face.score is not None
    if classification.correction is not None and located:
        box = geometry.correct_frame(box, *classification.correction, face.turn)
    return face._replace(
        box=box,
        gender=gender,
        confidence=classification.confidence,
        p_female=classification.p_female,
    )


def cut_face_crop(picture: Picture, face: Face, detector: Detector, size: int) -> Pixels:
    """Cuts the crop of a face, turned upright; decodes the picture again if the face is small.

    Args:
        picture: The picture.
        face: The face, box in pixels of the original.
        detector: The detector that returned the face.
        size: Side of the crop in pixels.

    Returns:
        uint8 RGB, size x size x 3.

    Raises:
        UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
    """
    square = compute_frame(picture, face, detector)
    if square.width < size:
        picture = picture.finer()
        square = compute_frame(picture, face, detector)
    return turn_pixels(geometry.cut_crop(picture.pixels, square, size), face.turn)


def compute_frame(picture: Picture, face: Face, detector: Detector) -> Box:
    """Returns the classifier's square frame around a face, in pixels of `picture.pixels`.

    Args:
        picture: The picture.
        face: The face, box in pixels of the original.
        detector: The detector that returned the face.
    """
    square = geometry.map_to_frame(face.box, detector.framings[face.detector])
    side = square.width / picture.scale
    return Box(square.x / picture.scale, square.y / picture.scale, side, side)


def find_crop(picture: Picture, detector: Detector, size: int) -> Pixels | None:
    """Detects the main face of a picture and cuts its crop.

    Args:
        picture: The picture.
        detector: Detects the faces.
        size: Side of the crop in pixels.

    Returns:
        uint8 RGB, size x size x 3; None if no face is detected.

    Raises:
        ModelError, RuntimeMissing: A model cannot be parsed or run.
        UnreadablePicture, Unfinished: The picture cannot be decoded again by `Picture.finer`.
    """
    found = geometry.sort_main_face_first(detector.detect(picture), picture.width, picture.height)
    return cut_face_crop(picture, found[0], detector, size) if found else None
