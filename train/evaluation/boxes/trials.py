"""The records of a measurement: pictures that are shown to a detector, and what would be right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """A face that a detector found, in pixels of the original picture.

    Attributes:
        box: The detector's box.
        frame: The classifier's frame around it.
        stage: The detector's stage that found it.
    """

    box: Box
    frame: Box
    stage: str


Rule = Callable[[Found], bool]
"""Tells whether what was found is the face that is there."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture and what is known of it.

    Attributes:
        picture: What the detector gets.
        is_right: Judges what it finds; None where there is no face and nothing may be found.
        frame: The true frame of the classifier, in pixels of the picture, where it is known.
    """

    picture: Picture
    is_right: Rule | None
    frame: Box | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A picture to be shown.

    Attributes:
        name: Names the picture within its set.
        show: Reads or makes it; raises UnreadablePicture where that fails.
    """

    name: str
    show: Callable[[], Shown]


@dataclass(frozen=True, slots=True)
class TrialSet:
    """Pictures that are scored together.

    Attributes:
        name: The set's name in tables.
        trials: Its pictures in a stable order.
    """

    name: str
    trials: Sequence[Trial]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A set that cannot be measured.

    Attributes:
        name: The set's name.
        reason: Why not.
    """

    name: str
    reason: str


def centre(box: Box) -> Point:
    """Gives a box's centre."""
    return box.x + box.width / 2, box.y + box.height / 2


def side(box: Box) -> float:
    """Gives a box's side as framing takes it: the geometric mean where it is not square."""
    return sqrt(box.width * box.height)


def centred(middle: Point, width: float, height: float) -> Box:
    """Gives the box of a size around a centre."""
    return Box(middle[0] - width / 2, middle[1] - height / 2, width, height)
