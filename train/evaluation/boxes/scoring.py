"""Scores a face detector on sets of labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from image_gender_classifier import pipeline
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection import geometry
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box, Face
from image_gender_classifier.train.datasets.unfinished import name_unfinished
from image_gender_classifier.train.evaluation.boxes import framing
from image_gender_classifier.train.evaluation.boxes.framing import FrameError
from image_gender_classifier.train.evaluation.boxes.trials import (
    Detection,
    LabelledPicture,
    TrialSet,
)
from image_gender_classifier.train.evaluation.metrics import Proportion, wilson_interval


@dataclass(frozen=True, slots=True)
class PictureScore:
    """A detector's score on one picture.

    Attributes:
        stage: The detector stage that found the main face; None if no face was detected.
        correct: True if the main face is correct, or if none was detected in a picture without a
            face.
        any_correct: As `correct`, but for any of the detected faces.
        frame_error: Localisation error of the main face's frame; None if the face is wrong or the
            true frame is unknown.
    """

    stage: str | None
    correct: bool
    any_correct: bool
    frame_error: FrameError | None = None


@dataclass(frozen=True, slots=True)
class StageCount:
    """The numbers of main faces in a set that one detector stage found.

    Attributes:
        found: Number of pictures whose main face this stage found.
        correct: Number of those pictures whose main face is correct.
    """

    found: int
    correct: int


@dataclass(frozen=True, slots=True)
class SetScore:
    """A detector's score on a set of pictures.

    Attributes:
        name: Name of the set.
        correct: Fraction of the readable pictures whose main face is correct (for a picture without
            a face: in which none is detected).
        any_correct: As `correct`, but for any of the detected faces.
        stages: Counts by detector stage, in the detector's order; every stage has an entry.
        frame_errors: Localisation errors of the correct main faces whose true frame is known.
        unreadable: Name and reason for each picture that cannot be decoded.
    """

    name: str
    correct: Proportion
    any_correct: Proportion
    stages: Mapping[str, StageCount]
    frame_errors: tuple[FrameError, ...]
    unreadable: tuple[tuple[str, str], ...]


def score_set(
    pictures: TrialSet, detector: Detector, classifier: Classifier | None = None
) -> SetScore:
    """Scores a detector on a set, with a progress bar if stderr is a terminal.

    Args:
        pictures: The set.
        detector: The detector.
        classifier: Corrects the frame of the main face; None to score the detector alone.

    Returns:
        The score; unreadable pictures are listed, but not counted.

    Raises:
        ModelError: A network cannot be run.
        Unfinished: Memory is short, or a picture cannot be read at present.
    """
    scores: list[PictureScore] = []
    unreadable: list[tuple[str, str]] = []
    for trial in tqdm(pictures.trials, desc=pictures.name, unit="picture", disable=None):
        try:
            with name_unfinished(trial.name):
                labelled = trial.load()
        except UnreadablePicture as error:
            unreadable.append((trial.name, str(error)))
            continue
        scores.append(score_picture(labelled, detector, classifier))
    return _summarise(pictures.name, scores, list(detector.framings), unreadable)


def score_picture(
    labelled: LabelledPicture, detector: Detector, classifier: Classifier | None = None
) -> PictureScore:
    """Scores a detector on one picture.

    Arguments and exceptions are those of `score_set`.
    """
    picture = labelled.picture
    faces = _list_faces(picture, detector, classifier)
    detections = [_make_detection(picture, face, detector) for face in faces]
    if not detections:
        correct = labelled.is_correct is None
        return PictureScore(None, correct, correct)
    main = detections[0]
    if labelled.is_correct is None:
        return PictureScore(main.stage, correct=False, any_correct=False)
    correct = labelled.is_correct(main)
    any_correct = any(map(labelled.is_correct, detections))
    if not correct or labelled.frame is None:
        return PictureScore(main.stage, correct, any_correct)
    error = framing.measure_frame_error(main.frame, labelled.frame, main.stage)
    return PictureScore(main.stage, correct, any_correct, error)


def _list_faces(
    picture: Picture, detector: Detector, classifier: Classifier | None
) -> Sequence[Face]:
    """Returns the faces of a picture, the main face first."""
    if classifier is not None:
        return pipeline.classify(picture, "", detector, classifier).faces
    return geometry.sort_main_face_first(detector.detect(picture), picture.width, picture.height)


def _make_detection(picture: Picture, face: Face, detector: Detector) -> Detection:
    """Returns a detected face with its frame; box and frame are in pixels of the original."""
    frame = pipeline.compute_frame(picture, face, detector)
    scale = picture.scale
    original = Box(frame.x * scale, frame.y * scale, frame.width * scale, frame.height * scale)
    return Detection(face.box, original, face.detector)


def _summarise(
    name: str,
    scores: Sequence[PictureScore],
    stages: Sequence[str],
    unreadable: Sequence[tuple[str, str]],
) -> SetScore:
    return SetScore(
        name=name,
        correct=wilson_interval(sum(score.correct for score in scores), len(scores)),
        any_correct=wilson_interval(sum(score.any_correct for score in scores), len(scores)),
        stages={stage: _count_stage(scores, stage) for stage in stages},
        frame_errors=tuple(score.frame_error for score in scores if score.frame_error is not None),
        unreadable=tuple(unreadable),
    )


def _count_stage(scores: Sequence[PictureScore], stage: str) -> StageCount:
    correct = [score.correct for score in scores if score.stage == stage]
    return StageCount(len(correct), sum(correct))
