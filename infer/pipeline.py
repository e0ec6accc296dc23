"""One picture's way: find the faces, choose the main one, cut its crop, judge it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from image_gender_classifier import faces
from image_gender_classifier.classifier import Classifier, Judgement
from image_gender_classifier.faces import Framing, Pixels
from image_gender_classifier.images import Picture
from image_gender_classifier.stages import OFF, Clock
from image_gender_classifier.verdict import Box, Face, Gender, Status, Verdict


class Detector(Protocol):
    """What finds faces, safe for any number of threads.

    Attributes:
        framings: By stage, how its boxes lie to the classifier's frame.
        decisive: What of its files and options decides a verdict.
    """

    framings: dict[str, Framing]
    decisive: tuple[object, ...]

    def find(self, picture: Picture) -> list[Face]:
        """Gives the faces in a picture, unjudged, boxes in pixels of the original."""
        ...


class WholePicture:
    """The detector for pictures that already are face crops."""

    def __init__(self) -> None:
        self.framings = {"none": Framing(scale=1.0, shift_y=0.0)}
        self.decisive: tuple[object, ...] = ()

    def find(self, picture: Picture) -> list[Face]:
        """Gives the picture's centred square as the one face."""
        return [Face(faces.whole(picture.height, picture.width), "none")]


def judge(
    picture: Picture,
    file: str,
    detector: Detector,
    classifier: Classifier,
    all_faces: bool = False,
    clock: Clock = OFF,
) -> Verdict:
    """Gives the verdict on a picture, by its main face.

    Args:
        picture: The decoded picture.
        file: Its path below the input folder, for the verdict.
        detector: What finds the faces.
        classifier: What judges the main face.
        all_faces: Judge the others too.
        clock: Measures the stages.
    """
    found = faces.main_first(detector.find(picture), picture.width, picture.height)
    clock.lap("find the face")
    if not found:
        return Verdict(file, "no_face", "unknown")
    shown = found if all_faces else found[:1]
    crops = [crop_of(picture, face, detector, classifier.crop_size) for face in shown]
    clock.lap("cut the crop")
    judgements = classifier.judge(np.stack(crops))
    clock.lap("judge it")
    judged = [_judged(face, judgement) for face, judgement in zip(shown, judgements, strict=True)]
    main = judged[0]
    status: Status = "classified" if judgements[0].certain else "uncertain"
    gender = main.gender or "unknown"
    return Verdict(file, status, gender, main.confidence, (*judged, *found[len(judged) :]))


def _judged(face: Face, judgement: Judgement) -> Face:
    gender: Gender = judgement.likelier if judgement.certain else "unknown"
    return face._replace(gender=gender, confidence=judgement.confidence)


def crop_of(picture: Picture, face: Face, detector: Detector, size: int) -> Pixels:
    """Cuts a face's crop, from finer pixels where the picture's are too few for it."""
    square = frame_of(picture, face, detector)
    if square.width < size:
        picture = picture.finer()
        square = frame_of(picture, face, detector)
    return faces.crop(picture.pixels, square, size)


def frame_of(picture: Picture, face: Face, detector: Detector) -> Box:
    """Places the classifier's frame around a face, in the picture's working pixels."""
    square = faces.frame(face.box, detector.framings[face.detector])
    side = square.width / picture.scale
    return Box(square.x / picture.scale, square.y / picture.scale, side, side)


def find_frame(picture: Picture, detector: Detector) -> Box | None:
    """Finds the main face's frame, in the picture's working pixels; None where there is no face."""
    found = faces.main_first(detector.find(picture), picture.width, picture.height)
    return frame_of(picture, found[0], detector) if found else None


def find_crop(picture: Picture, detector: Detector, size: int) -> Pixels | None:
    """The main face's crop, or None where there is no face; training cuts its crops by this."""
    found = faces.main_first(detector.find(picture), picture.width, picture.height)
    return crop_of(picture, found[0], detector, size) if found else None
