"""One picture's way: find the faces, choose the main one, cut its crop, judge it."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from image_gender_classifier import faces
from image_gender_classifier.classifier import Classifier
from image_gender_classifier.faces import Framing, Pixels
from image_gender_classifier.images import Picture
from image_gender_classifier.verdict import Box, Face, Gender, Status, Verdict


class Detector(Protocol):
    """What finds faces.

    Attributes:
        framings: By stage, how its boxes lie to the classifier's frame.
    """

    framings: dict[str, Framing]

    def find(self, picture: Picture) -> list[Face]:
        """Gives the faces in a picture, unjudged, boxes in pixels of the original."""
        ...


class WholePicture:
    """The detector for pictures that already are face crops."""

    def __init__(self) -> None:
        self.framings = {"none": Framing(scale=1.0, shift_y=0.0)}

    def find(self, picture: Picture) -> list[Face]:
        """Gives the picture's centred square as the one face."""
        return [Face(faces.whole(picture.height, picture.width), "none")]


def judge(picture: Picture, file: str, detector: Detector, classifier: Classifier) -> Verdict:
    """Gives the verdict on a picture, by its main face.

    Args:
        picture: The decoded picture.
        file: Its path below the input folder, for the verdict.
        detector: What finds the faces.
        classifier: What judges the main face.
    """
    found = faces.main_first(detector.find(picture), picture.width, picture.height)
    if not found:
        return Verdict(file, "no_face", "unknown")
    main, *others = found
    frame = frame_of(picture, main, detector)
    crop = faces.crop(picture.pixels, frame, classifier.crop_size)
    (judgement,) = classifier.judge(crop[np.newaxis])
    gender: Gender = judgement.likelier if judgement.certain else "unknown"
    judged = replace(main, gender=gender, confidence=judgement.confidence)
    status: Status = "classified" if judgement.certain else "uncertain"
    return Verdict(file, status, gender, judgement.confidence, (judged, *others))


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
    frame = find_frame(picture, detector)
    return faces.crop(picture.pixels, frame, size) if frame else None
