"""Counting: main face and any face, stages, false alarms, frames, unreadable pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.detection.geometry import Framing
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.results import Box, Face
from image_gender_classifier.train.evaluation.boxes import rules
from image_gender_classifier.train.evaluation.boxes.scoring import (
    Outcome,
    StageCount,
    outcome,
    score,
)
from image_gender_classifier.train.evaluation.boxes.trials import Shown, Trial, TrialSet, centred

LARGE, SMALL = centred((50, 50), 40, 40), centred((20, 20), 10, 10)
Make = Callable[..., Detector]


def picture() -> Picture:
    return Picture(np.zeros((100, 100, 3), np.uint8), 100, 100)


def looking_for(box: Box, frame: Box | None = None) -> Shown:
    return Shown(picture(), rules.inside(box), frame)


def test_the_main_face_decides(reported: Make) -> None:
    both = reported(SMALL, LARGE)
    assert outcome(looking_for(LARGE), both) == Outcome("first", right=True, any_right=True)
    assert outcome(looking_for(SMALL), both) == Outcome("first", right=False, any_right=True)
    assert outcome(looking_for(Box(80, 80, 5, 5)), both) == Outcome(
        "first", right=False, any_right=False
    )


def test_nothing_found_is_wrong_where_there_is_a_face(reported: Make) -> None:
    assert outcome(looking_for(LARGE), reported()) == Outcome(None, right=False, any_right=False)


def test_nothing_found_is_right_where_there_is_none(reported: Make) -> None:
    assert outcome(Shown(picture(), None), reported()) == Outcome(None, right=True, any_right=True)
    assert outcome(Shown(picture(), None), reported(LARGE)) == Outcome(
        "first", right=False, any_right=False
    )


def test_the_frame_is_the_stages_own(reported: Make) -> None:
    """The second stage's frame is twice the box and half a box lower."""
    fit = outcome(looking_for(LARGE, LARGE), reported(LARGE, stage="second")).fit
    assert fit is not None
    assert (fit.stage, fit.side, fit.right, fit.down) == ("second", 2.0, 0.0, 0.5)


def test_a_wrong_face_has_no_fit(reported: Make) -> None:
    assert outcome(looking_for(SMALL, SMALL), reported(LARGE)).fit is None


def test_frames_are_in_original_pixels(reported: Make) -> None:
    small = Picture(np.zeros((50, 50, 3), np.uint8), 100, 100)
    fit = outcome(Shown(small, rules.framed(LARGE), LARGE), reported(LARGE)).fit
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


def shade(value: int) -> Shown:
    return Shown(Picture(np.full((100, 100, 3), value, np.uint8), 100, 100), rules.inside(LARGE))


def broken() -> Shown:
    raise UnreadablePicture("it is torn")


def test_a_set_is_counted_by_stage() -> None:
    trials = [Trial(str(value), partial(shade, value)) for value in (255, 255, 255, 128, 0)]
    scored = score(TrialSet("shades", [*trials, Trial("torn", broken)]), ByBrightness())
    assert scored.name == "shades"
    assert (scored.right.n, scored.right.value) == (5, 0.6)
    assert scored.any_right == scored.right
    assert scored.stages == {
        "first": StageCount(3, 3), "second": StageCount(1, 0), "third": StageCount(0, 0),
    }  # fmt: skip
    assert list(scored.stages) == ["first", "second", "third"]
    assert scored.unreadable == (("torn", "it is torn"),)
    assert scored.fits == ()


def test_a_set_of_unreadable_pictures() -> None:
    scored = score(TrialSet("torn", [Trial("torn", broken)]), ByBrightness())
    assert scored.right.value is None
    assert len(scored.unreadable) == 1
