"""Scoring of a detector on sets of pictures."""

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
    """A detector's result on one picture.

    Attributes:
        stage: The stage that found the main face; None without a face.
        right: Whether the main face is correct, or there is correctly none.
        any_right: Whether any face is correct, or there is correctly none.
        fit: Error of the main face's frame; None unless correct and known.
    """

    stage: str | None
    right: bool
    any_right: bool
    fit: Fit | None = None


@dataclass(frozen=True, slots=True)
class StageCount:
    """The contribution of a detector stage to a set.

    Attributes:
        found: Number of pictures whose main face it found.
        right: Number of these that are correct.
    """

    found: int
    right: int


@dataclass(frozen=True, slots=True)
class SetScore:
    """A detector's score on a set of pictures.

    Attributes:
        name: The set's name.
        right: Share of the readable pictures whose main face is correct.
        any_right: Share of the readable pictures in which any face is correct.
        stages: Contribution by stage, in the detector's order.
        fits: Errors of the correct main faces' frames, where the true frame is known.
        unreadable: Name of each unreadable picture, with the reason.
    """

    name: str
    right: Proportion
    any_right: Proportion
    stages: Mapping[str, StageCount]
    fits: tuple[Fit, ...]
    unreadable: tuple[tuple[str, str], ...]


def score(pictures: TrialSet, detector: Detector) -> SetScore:
    """Scores a detector on a set, with a progress bar if stderr is a terminal."""
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
    """Scores a detector on one picture."""
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
    """Gives a face with its frame for the gender classifier, in original pixels."""
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
