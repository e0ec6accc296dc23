"""Records for the evaluation of face detection: pictures with their rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Found:
    """A detected face, in pixels of the original picture.

    Attributes:
        box: The detector's box.
        frame: The gender classifier's frame.
        stage: The detector stage that found it.
    """

    box: Box
    frame: Box
    stage: str


Rule = Callable[[Found], bool]
"""Decides whether a detection is correct."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture with its ground truth.

    Attributes:
        picture: The picture.
        is_right: The rule for a correct detection; None if the picture has no face.
        frame: The true frame in pixels, if known.
    """

    picture: Picture
    is_right: Rule | None
    frame: Box | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A picture to evaluate on.

    Attributes:
        name: Name within its set.
        show: Reads or composes the picture; raises UnreadablePicture if that fails.
    """

    name: str
    show: Callable[[], Shown]


@dataclass(frozen=True, slots=True)
class TrialSet:
    """A set of pictures that are scored together.

    Attributes:
        name: The set's name in tables.
        trials: The pictures in a stable order.
    """

    name: str
    trials: Sequence[Trial]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A set that cannot be evaluated.

    Attributes:
        name: The set's name.
        reason: The reason.
    """

    name: str
    reason: str


def centre(box: Box) -> Point:
    """Gives a box's centre."""
    return box.x + box.width / 2, box.y + box.height / 2


def side(box: Box) -> float:
    """Gives a box's side; for boxes that are not square, the geometric mean."""
    return sqrt(box.width * box.height)


def centred(middle: Point, width: float, height: float) -> Box:
    """Gives the box of a given size around a centre."""
    return Box(middle[0] - width / 2, middle[1] - height / 2, width, height)
