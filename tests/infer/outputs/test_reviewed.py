"""Applying a correction to a prediction."""

from __future__ import annotations

import pytest
from sample_prediction import PREDICTION

from image_gender_classifier.outputs.corrections import Correction
from image_gender_classifier.outputs.reviewed import apply_correction
from image_gender_classifier.results import Box, Face, Prediction

RUN = "ba9876543210"
FIRST, SECOND = PREDICTION.faces


def test_the_main_face_gets_the_gender_and_no_confidence() -> None:
    corrected = apply_correction(PREDICTION, Correction("female"), RUN)
    assert (corrected.status, corrected.gender, corrected.confidence) == (
        "reviewed",
        "female",
        None,
    )
    assert (corrected.file, corrected.run) == (PREDICTION.file, RUN)
    assert corrected.faces[1:] == (SECOND,)
    face = corrected.faces[0]
    assert (face.box, face.gender, face.confidence) == (FIRST.box, "female", None)


def test_another_face_decides_and_comes_first() -> None:
    corrected = apply_correction(PREDICTION, Correction("male", (5, 6, 7, 8)), RUN)
    assert [face.box for face in corrected.faces] == [SECOND.box, FIRST.box]
    assert [face.gender for face in corrected.faces] == ["male", FIRST.gender]


def test_a_box_that_has_moved_a_little_is_the_same_face() -> None:
    corrected = apply_correction(PREDICTION, Correction("male", (5, 7, 8, 8)), RUN)
    assert corrected.faces[0].box == SECOND.box


def test_a_face_that_is_not_detected_any_more_is_added() -> None:
    corrected = apply_correction(PREDICTION, Correction("male", (50, 60, 70, 80)), RUN)
    first = corrected.faces[0]
    assert (first.box, first.detector, first.gender) == (Box(50, 60, 70, 80), "reviewed", "male")
    assert corrected.faces[1:] == PREDICTION.faces


def test_no_face_omits_the_detected_ones() -> None:
    corrected = apply_correction(PREDICTION, Correction("no_face", (1, 2, 3, 4)), RUN)
    assert (corrected.gender, corrected.faces) == ("unknown", ())


def test_a_picture_without_a_face_gets_a_gender() -> None:
    nobody = Prediction("a.jpg", "no_face", "unknown")
    corrected = apply_correction(nobody, Correction("female"), RUN)
    assert (corrected.status, corrected.gender, corrected.faces) == ("reviewed", "female", ())


@pytest.mark.parametrize("box", [None, (5, 6, 7, 8), (50, 60, 70, 80)])
def test_applying_twice_changes_nothing(box: tuple[int, int, int, int] | None) -> None:
    correction = Correction("unknown", box)
    once = apply_correction(PREDICTION, correction, RUN)
    assert apply_correction(once, correction, RUN) == once


def test_an_empty_box_matches_no_face() -> None:
    flat = Prediction("a.jpg", "no_face", "unknown", faces=(Face(Box(0, 0, 0, 0), "lbp"),))
    assert len(apply_correction(flat, Correction("male", (0, 0, 0, 0)), RUN).faces) == 2
