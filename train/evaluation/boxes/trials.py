"""Data classes of the face detection evaluation: pictures with ground truth, and detections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box

Point = tuple[float, float]
"""x and y in pixels."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A detected face, in pixels of the original picture.

    Attributes:
        box: Bounding box as detected.
        frame: The square that is cropped for the gender classifier; can extend beyond the picture.
        stage: The detector stage that found the face.
    """

    box: Box
    frame: Box
    stage: str


Rule = Callable[[Detection], bool]
"""Function that returns whether a detection is correct."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A picture with its ground truth.

    Attributes:
        picture: The picture.
        is_correct: The rule for a correct detection; None if the picture has no face.
        frame: The true frame in pixels of the original; None if it is unknown.
    """

    picture: Picture
    is_correct: Rule | None
    frame: Box | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A picture to evaluate on.

    Attributes:
        name: Name within its set.
        load: Reads or composes the picture; raises UnreadablePicture if it cannot be decoded.
    """

    name: str
    load: Callable[[], LabelledPicture]


@dataclass(frozen=True, slots=True)
class TrialSet:
    """A set of pictures that are scored together.

    Attributes:
        name: Name of the set in reports.
        trials: The pictures in a stable order.
    """

    name: str
    trials: Sequence[Trial]


@dataclass(frozen=True, slots=True)
class SkippedSet:
    """A set that is not evaluated.

    Attributes:
        name: Name of the set.
        reason: Reason why it is skipped, for the user.
    """

    name: str
    reason: str


def box_centre(box: Box) -> Point:
    """Returns the centre (x, y) of a box."""
    return box.x + box.width / 2, box.y + box.height / 2


def box_side(box: Box) -> float:
    """Returns the side of a box; the geometric mean of both sides if it is not square."""
    return sqrt(box.width * box.height)


def box_around(middle: Point, width: float, height: float) -> Box:
    """Returns the box with a given centre (x, y), width and height."""
    return Box(middle[0] - width / 2, middle[1] - height / 2, width, height)
