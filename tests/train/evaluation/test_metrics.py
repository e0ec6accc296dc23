"""The figures are right on known values and hold their promises on any others."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.train.evaluation.metrics import (
    Predictions,
    Proportion,
    bin_indices,
    compute_scores,
    expected_calibration_error,
    wilson_interval,
)

Row = tuple[str, str, float, str]

COUNTS = st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["female", "male"]),
        st.sampled_from(["female", "male"]),
        st.floats(0.5, 1),
        st.sampled_from(["", "Black", "East Asian"]),
    )
)


def answers_of(rows: list[Row]) -> Predictions:
    gender, predicted, confidence, race = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Predictions(
        np.array(gender, np.str_),
        np.array(predicted, np.str_),
        np.array(confidence, np.float64),
        {"race": np.array(race, np.str_)},
    )


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_equal_published_values(
    successes: int, n: int, low: float, high: float
) -> None:
    share = wilson_interval(successes, n)
    assert (share.n, share.value) == (n, successes / n)
    assert share.low == pytest.approx(low, abs=5e-5)
    assert share.high == pytest.approx(high, abs=5e-5)


def test_the_wilson_interval_of_no_samples_is_0_to_1() -> None:
    assert wilson_interval(0, 0) == Proportion(0, None, 0.0, 1.0)


@pytest.mark.parametrize(("successes", "n"), [(-1, 3), (4, 3)])
def test_an_invalid_proportion_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"expected 0 to {n}"):
        wilson_interval(successes, n)


@given(COUNTS)
def test_wilson_intervals_are_ordered_and_symmetric(counts: tuple[int, int]) -> None:
    successes, n = counts
    share, mirrored = wilson_interval(successes, n), wilson_interval(n - successes, n)
    if share.value is not None:
        assert 0 <= share.low <= share.value <= share.high <= 1
    assert mirrored.low == pytest.approx(1 - share.high, abs=1e-9)
    assert mirrored.high == pytest.approx(1 - share.low, abs=1e-9)


def test_the_calibration_error_equals_one_computed_by_hand() -> None:
    # Two bins, 0.5 to 0.75 and 0.75 to 1; 0.75 itself is in the lower.
    confidence = np.array([0.6, 0.75, 0.9, 1.0])
    correct = np.array([True, False, True, True])
    wanted = (abs(1 - 1.35) + abs(2 - 1.9)) / 4
    assert expected_calibration_error(confidence, correct, bins=2) == pytest.approx(wanted)


@pytest.mark.parametrize("bins", [1, 2, 5, 10, 50])
def test_a_bin_includes_its_upper_bound(bins: int) -> None:
    bounds = np.array([float(Fraction(bins + upper, 2 * bins)) for upper in range(1, bins + 1)])
    assert bin_indices(bounds, bins).tolist() == list(range(bins))
    assert bin_indices(np.nextafter(bounds[:-1], 1), bins).tolist() == list(range(1, bins))
    assert bin_indices(np.array([0.5]), bins).tolist() == [0]


@pytest.mark.parametrize(
    ("confidence", "correct", "wanted"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [False, False], 1.0),
        ([0.5, 0.5], [True, False], 0.0),
        ([0.75, 0.75, 0.75, 0.75], [True, True, True, False], 0.0),
        ([0.5, 1.0], [False, True], 0.25),
    ],
)
def test_the_calibration_error_is_0_to_1(
    confidence: list[float], correct: list[bool], wanted: float
) -> None:
    assert expected_calibration_error(np.array(confidence), np.array(correct)) == wanted


@pytest.mark.parametrize("confidence", [[], [0.49], [1.01], [float("nan")]])
def test_invalid_confidences_are_refused(confidence: list[float]) -> None:
    with pytest.raises(ValueError, match="confidence"):
        expected_calibration_error(np.array(confidence), np.ones(len(confidence), bool))


@given(ANSWERS.filter(bool), st.randoms(use_true_random=False), st.floats(0, 1))
def test_scores_do_not_depend_on_the_order_of_pictures(
    rows: list[Row], random: Random, threshold: float
) -> None:
    shuffled = random.sample(rows, len(rows))
    one, other = (
        compute_scores(answers_of(rows), threshold),
        compute_scores(answers_of(shuffled), threshold),
    )
    assert one.ece == pytest.approx(other.ece, abs=1e-9)
    assert 0 <= (one.ece or 0) <= 1
    for name in ("accuracy", "accuracy_all", "tpr", "groups", "classified", "classified_accuracy"):
        assert getattr(one, name) == getattr(other, name)


@given(ANSWERS, st.integers(0, 9), st.integers(0, 9))
def test_pictures_without_a_prediction_are_wrong_and_cells_add_up(
    rows: list[Row], no_face: int, unreadable: int
) -> None:
    scores = compute_scores(answers_of(rows), 0.0, no_face, unreadable)
    assert scores.n == len(rows) + no_face + unreadable
    assert scores.accuracy_all.n == scores.no_face.n == scores.n
    right = sum(gender == said for gender, said, _, _ in rows)
    assert scores.accuracy_all == wilson_interval(right, scores.n)
    assert scores.classified_accuracy == scores.accuracy == wilson_interval(right, len(rows))
    assert sum(share.n for share in scores.tpr.values()) == len(rows)
    labelled = sum(race != "" for *_, race in rows)
    for cells in scores.groups.values():
        assert sum(share.n for share in cells.values()) == labelled


def test_scores_equal_those_computed_by_hand() -> None:
    answers = Predictions(
        gender=np.array(["female", "female", "male", "male", "male"]),
        predicted=np.array(["female", "male", "male", "male", "female"]),
        confidence=np.array([0.9, 0.6, 0.95, 0.55, 0.8]),
        groups={
            "age": np.array(["3-9", "3-9", "70+", "70+", ""]),
            "race": np.array(["Black", "White", "Black", "", "Black"]),
        },
    )
    scores = compute_scores(answers, threshold=0.8, no_face=2, unreadable=1)
    assert (scores.n, scores.predicted, scores.unreadable) == (8, 5, 1)
    assert scores.accuracy == wilson_interval(3, 5)
    assert scores.accuracy_all == wilson_interval(3, 8)
    assert scores.tpr == {"female": wilson_interval(1, 2), "male": wilson_interval(2, 3)}
    assert scores.balanced_accuracy == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert scores.groups == {
        "age": {"3-9": wilson_interval(1, 2), "70+": wilson_interval(2, 2)},
        "race": {"Black": wilson_interval(2, 3), "White": wilson_interval(0, 1)},
        "race × gender": {
            "Black female": wilson_interval(1, 1),
            "Black male": wilson_interval(1, 2),
            "White female": wilson_interval(0, 1),
        },
    }
    assert (scores.classified, scores.classified_accuracy) == (
        wilson_interval(3, 5),
        wilson_interval(2, 3),
    )
    assert scores.no_face == wilson_interval(2, 8)
    # Each confidence is in a bin of its own.
    assert scores.ece == pytest.approx((0.1 + 0.6 + 0.05 + 0.45 + 0.8) / 5)


def test_scores_without_predictions_are_none() -> None:
    scores = compute_scores(answers_of([]), threshold=0.8, no_face=3)
    assert (scores.ece, scores.balanced_accuracy, scores.accuracy.value) == (None, None, None)
    assert scores.accuracy_all == wilson_interval(0, 3)
    assert scores.groups == {"race": {}, "race × gender": {}}


def test_a_missing_gender_leaves_no_balanced_accuracy() -> None:
    scores = compute_scores(answers_of([("male", "male", 0.7, "")]), threshold=0.5)
    assert scores.balanced_accuracy is None
    assert scores.tpr["female"] == wilson_interval(0, 0)
