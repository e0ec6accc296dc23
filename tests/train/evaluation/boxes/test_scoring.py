"""Counting: main face and any face, stages, false alarms, frames, unreadable pictures."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from fixed_networks import FixedDetector, FixedNetwork

from image_gender_classifier import loading
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.schema import FrameOutput
from image_gender_classifier.results import Box, Face
from image_gender_classifier.train.evaluation.boxes import rules
from image_gender_classifier.train.evaluation.boxes.scoring import (
    PictureScore,
    StageCount,
    score_picture,
    score_set,
)
from image_gender_classifier.train.evaluation.boxes.trials import (
    LabelledPicture,
    Trial,
    TrialSet,
    box_around,
)

LARGE, SMALL = box_around((50, 50), 40, 40), box_around((20, 20), 10, 10)


def picture() -> Picture:
    return Picture(np.zeros((100, 100, 3), np.uint8), 100, 100)


def looking_for(box: Box, frame: Box | None = None) -> LabelledPicture:
    return LabelledPicture(picture(), rules.accept_inside(box), frame)


def test_the_score_is_that_of_the_main_face() -> None:
    both = FixedDetector(SMALL, LARGE)
    assert score_picture(looking_for(LARGE), both) == PictureScore(
        "first", correct=True, any_correct=True
    )
    assert score_picture(looking_for(SMALL), both) == PictureScore(
        "first", correct=False, any_correct=True
    )
    assert score_picture(looking_for(Box(80, 80, 5, 5)), both) == PictureScore(
        "first", correct=False, any_correct=False
    )


def test_a_missed_face_is_wrong() -> None:
    assert score_picture(looking_for(LARGE), FixedDetector()) == PictureScore(
        None, correct=False, any_correct=False
    )


def test_no_detection_is_correct_without_a_face() -> None:
    assert score_picture(LabelledPicture(picture(), None), FixedDetector()) == PictureScore(
        None, correct=True, any_correct=True
    )
    assert score_picture(LabelledPicture(picture(), None), FixedDetector(LARGE)) == PictureScore(
        "first", correct=False, any_correct=False
    )


def test_the_frame_is_that_of_the_stage() -> None:
    """The second stage's frame is twice the box and half a box lower."""
    fit = score_picture(looking_for(LARGE, LARGE), FixedDetector(LARGE, stage="second")).frame_error
    assert fit is not None
    assert (fit.stage, fit.side, fit.right, fit.down) == ("second", 2.0, 0.0, 0.5)


def test_a_wrong_face_has_no_frame_error() -> None:
    assert score_picture(looking_for(SMALL, SMALL), FixedDetector(LARGE)).frame_error is None


def test_frames_are_in_original_pixels() -> None:
    small = Picture(np.zeros((50, 50, 3), np.uint8), 100, 100)
    fit = score_picture(
        LabelledPicture(small, rules.accept_frame(LARGE), LARGE), FixedDetector(LARGE)
    ).frame_error
    assert fit is not None
    assert (fit.side, fit.right, fit.down) == pytest.approx((1, 0, 0))


class ByBrightness:
    """Finds by its first stage in bright pictures, by its second in grey, nothing in dark ones."""

    cache_key: tuple[object, ...] = ()

    def __init__(self) -> None:
        self.framings = {name: Framing(1.0, 0.0) for name in ("first", "second", "third")}

    def detect(self, picture: Picture) -> list[Face]:
        brightness = int(picture.pixels.mean())
        if brightness < 50:
            return []
        return [Face(LARGE, "first") if brightness > 200 else Face(SMALL, "second")]


def shade(value: int) -> LabelledPicture:
    return LabelledPicture(
        Picture(np.full((100, 100, 3), value, np.uint8), 100, 100), rules.accept_inside(LARGE)
    )


def broken() -> LabelledPicture:
    raise UnreadablePicture("it is torn")


def test_a_set_is_counted_by_stage() -> None:
    trials = [Trial(str(value), partial(shade, value)) for value in (255, 255, 255, 128, 0)]
    scored = score_set(TrialSet("shades", [*trials, Trial("torn", broken)]), ByBrightness())
    assert scored.name == "shades"
    assert (scored.correct.n, scored.correct.value) == (5, 0.6)
    assert scored.any_correct == scored.correct
    assert scored.stages == {
        "first": StageCount(3, 3), "second": StageCount(1, 0), "third": StageCount(0, 0),
    }  # fmt: skip
    assert list(scored.stages) == ["first", "second", "third"]
    assert scored.unreadable == (("torn", "it is torn"),)
    assert scored.frame_errors == ()


def test_unreadable_pictures_are_not_counted() -> None:
    scored = score_set(TrialSet("torn", [Trial("torn", broken)]), ByBrightness())
    assert scored.correct.value is None
    assert len(scored.unreadable) == 1


def test_a_picture_that_cannot_be_read_at_present_is_named() -> None:
    def fail() -> LabelledPicture:
        raise Unfinished("the disk is gone")

    with pytest.raises(Unfinished, match="remote: the disk is gone"):
        score_set(TrialSet("remote", [Trial("remote", fail)]), ByBrightness())


def test_a_classifier_corrects_the_frame() -> None:
    entry = loading.open_classifier(None).entry._replace(frame_output=FrameOutput(1.0, 1.0, 1.0))
    moved_down = FixedNetwork(96, [[1]], [[0, 0.1, 0]])  # by a tenth of the side
    classifier = Classifier(moved_down, entry)
    error = score_picture(looking_for(LARGE, LARGE), FixedDetector(LARGE, score=0.9)).frame_error
    assert error is not None and error.down == 0
    scored = score_picture(looking_for(LARGE, LARGE), FixedDetector(LARGE, score=0.9), classifier)
    assert scored.correct
    assert scored.frame_error is not None
    assert scored.frame_error.down == pytest.approx(0.1)
