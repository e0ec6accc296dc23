"""Which answers of a worker are accepted."""

from __future__ import annotations

import pytest

from image_gender_classifier.results import Prediction, Preview
from image_gender_classifier.workers.messages import Answer, Job

JOB = Job(3, "/in/a.jpg", "a.jpg", 1.0)
PREDICTION = Prediction("a.jpg", "no_face", "unknown")


@pytest.mark.parametrize(
    "answer",
    [Answer(3, PREDICTION), Answer(3, None, "no memory"), Answer(3, None, preview=Preview())],
)
def test_a_prediction_an_error_or_a_preview_is_an_answer(answer: Answer) -> None:
    assert answer.is_answer_to(JOB)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(4, PREDICTION),
        Answer(3, Prediction("b.jpg", "no_face", "unknown")),
        Answer(3, None),
        Answer(3, PREDICTION, "no memory"),
        Answer(3, PREDICTION, preview=Preview()),
        Answer(3, None, "no memory", preview=Preview()),
        Answer(3, PREDICTION, unfinished=True),
        Answer(3, Prediction("a.jpg", "reviewed", "female")),
    ],
)
def test_a_contradiction_or_a_claim_of_a_review_is_none(answer: Answer) -> None:
    assert not answer.is_answer_to(JOB)
