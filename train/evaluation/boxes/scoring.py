"""Shows pictures to a detector and counts what it gets right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from image_gender_classifier import pipeline
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box, Face
from image_gender_classifier.train.evaluation.boxes import framing
from image_gender_classifier.train.evaluation.boxes.framing import Fit
from image_gender_classifier.train.evaluation.boxes.trials import Found, Shown, TrialSet
from image_gender_classifier.train.evaluation.metrics import Proportion, wilson


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a detector made of one picture.

    Attributes:
        stage: The stage that found the main face; None where no face was found.
        right: Whether the main face is the right one, or rightly no face was found.
        any_right: Whether any of the faces is the right one, or rightly none was found.
        fit: How the main face's frame lies to the true one; None unless right and known.
    """

    stage: str | None
    right: bool
    any_right: bool
    fit: Fit | None = None


@dataclass(frozen=True, slots=True)
class StageCount:
    """What a detector's stage contributed to a set.

    Attributes:
        found: Pictures whose main face it found.
        right: Those of them where that is right.
    """

    found: int
    right: int


@dataclass(frozen=True, slots=True)
class SetScore:
    """How a detector fares on a set of pictures.

    Attributes:
        name: The set's name.
        right: Share of the readable pictures where the main face is right.
        any_right: Share of them where any face is right.
        stages: By stage, in the detector's order, what it contributed.
        fits: How the right main faces' frames lie to the true ones, where those are known.
        unreadable: Name of each picture that cannot be read, and why.
    """

    name: str
    right: Proportion
    any_right: Proportion
    stages: Mapping[str, StageCount]
    fits: tuple[Fit, ...]
    unreadable: tuple[tuple[str, str], ...]


def score(pictures: TrialSet, detector: Detector) -> SetScore:
    """Shows a set to a detector, with a progress bar where stderr is a terminal."""
    outcomes: list[Outcome] = []
    unreadable: list[tuple[str, str]] = []
    for trial in tqdm(pictures.trials, desc=pictures.name, unit="picture", disable=None):
        try:
            shown = trial.show()
        except UnreadablePicture as error:
            unreadable.append((trial.name, str(error)))
            continue
        outcomes.append(outcome(shown, detector))
    return _summary(pictures.name, outcomes, list(detector.framings), unreadable)


def outcome(shown: Shown, detector: Detector) -> Outcome:
    """Shows one picture to a detector."""
    picture = shown.picture
    in_order = geometry.main_first(detector.detect(picture), picture.width, picture.height)
    found = [_found(picture, face, detector) for face in in_order]
    if not found:
        rightly = shown.is_right is None
        return Outcome(None, rightly, rightly)
    main = found[0]
    if shown.is_right is None:
        return Outcome(main.stage, right=False, any_right=False)
    right = shown.is_right(main)
    any_right = any(map(shown.is_right, found))
    if not right or shown.frame is None:
        return Outcome(main.stage, right, any_right)
    return Outcome(main.stage, right, any_right, framing.fit(main.frame, shown.frame, main.stage))


def _found(picture: Picture, face: Face, detector: Detector) -> Found:
    """Gives a face with the frame that the classifier would be shown, in original pixels."""
    frame = pipeline.frame_of(picture, face, detector)
    scale = picture.scale
    original = Box(frame.x * scale, frame.y * scale, frame.width * scale, frame.height * scale)
    return Found(face.box, original, face.detector)


def _summary(
    name: str,
    outcomes: Sequence[Outcome],
    stages: Sequence[str],
    unreadable: Sequence[tuple[str, str]],
) -> SetScore:
    return SetScore(
        name=name,
        right=wilson(sum(one.right for one in outcomes), len(outcomes)),
        any_right=wilson(sum(one.any_right for one in outcomes), len(outcomes)),
        stages={stage: _stage_count(outcomes, stage) for stage in stages},
        fits=tuple(one.fit for one in outcomes if one.fit is not None),
        unreadable=tuple(unreadable),
    )


def _stage_count(outcomes: Sequence[Outcome], stage: str) -> StageCount:
    right = [one.right for one in outcomes if one.stage == stage]
    return StageCount(len(right), sum(right))
