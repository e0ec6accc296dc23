"""Further figures of a report: differences, reliability, coverage, confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import get_args

import numpy as np
import numpy.typing as npt

from image_gender_classifier.results import BinaryGender, Gender
from image_gender_classifier.train.datasets.age_bands import AGE_BANDS
from image_gender_classifier.train.evaluation.answers import Outcome
from image_gender_classifier.train.evaluation.evaluation_report import Setting
from image_gender_classifier.train.evaluation.metrics import (
    BINS,
    GENDERS,
    Answers,
    Proportion,
    Scores,
    bin_of,
    score,
    wilson,
)
from image_gender_classifier.train.evaluation.robustness import Degradation

UNDER_TEN = AGE_BANDS[:2]

Numbers = npt.NDArray[np.float64]
Confusion = Mapping[BinaryGender, Mapping[Gender, int]]


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two shares with its 95% interval; all from -1 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """The crops in one bin of confidence; at least one.

    Attributes:
        low: Lower end of the bin, exclusive except in the first bin.
        high: Upper end of the bin, inclusive.
        confidence: Mean confidence.
        accuracy: Share of correct predictions.
    """

    low: float
    high: float
    confidence: float
    accuracy: Proportion


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Coverage and accuracy by threshold, in descending order (float64, M each).

    Attributes:
        threshold: The threshold.
        share: Share of the crops that reach the threshold.
        accuracy: Accuracy of these.
        low: Lower end of the accuracy's interval.
        high: Upper end of the accuracy's interval.
    """

    threshold: Numbers
    share: Numbers
    accuracy: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """The contents of a report.

    Attributes:
        setting: What was evaluated.
        trained_on: Whether the model was trained on some of the pictures.
        answers: Predictions for the original crops.
        scores: Scores of the original crops.
        degraded: Scores by degradation, in descending order of accuracy.
    """

    setting: Setting
    trained_on: bool
    answers: Answers
    scores: Scores
    degraded: Mapping[str, Scores]


def find(
    setting: Setting, trained_on: bool, ways: Sequence[Degradation], outcomes: Sequence[Outcome]
) -> Findings:
    """Scores the outcomes: the first of the original crops, then one per degradation."""
    clean, *others = [_scores(outcome, setting.threshold) for outcome in outcomes]
    named = {way.name: scores for way, scores in zip(ways, others, strict=True)}
    falling = sorted(named, key=lambda name: named[name].accuracy.value or 0.0, reverse=True)
    degraded = {name: named[name] for name in falling}
    return Findings(setting, trained_on, outcomes[0].answers, clean, degraded)


def difference(one: Proportion, other: Proportion) -> Difference | None:
    """Gives the difference of two independent shares; None if one is missing.

    Newcombe, "Interval Estimation for the Difference between Independent Proportions", Statistics
    in Medicine 1998, method 10, from the two Wilson intervals.
    """
    if one.value is None or other.value is None:
        return None
    value = one.value - other.value
    below = hypot(one.value - one.low, other.high - other.value)
    above = hypot(one.high - one.value, other.value - other.low)
    return Difference(value, value - below, value + above)


def by_ten_years(answers: Answers) -> dict[str, Proportion]:
    """Gives the accuracy by age, under 10 and from 10 years; empty if there are no ages."""
    ages = answers.groups.get("age", np.array([], np.str_))
    if not ages.any():
        return {}
    correct = answers.gender == answers.predicted
    young = np.isin(ages, UNDER_TEN)
    parts = {"10 and over": correct[(ages != "") & ~young], "under 10": correct[young]}
    return {name: wilson(int(part.sum()), len(part)) for name, part in parts.items() if len(part)}


def reliability(answers: Answers) -> list[Bin]:
    """Divides the crops into bins of confidence as `metrics.expected_calibration_error` does."""
    correct = answers.gender == answers.predicted
    places = bin_of(answers.confidence)
    ends = np.linspace(0.5, 1, BINS + 1).tolist()
    return [
        Bin(
            ends[place],
            ends[place + 1],
            float(answers.confidence[places == place].mean()),
            wilson(int(correct[places == place].sum()), int((places == place).sum())),
        )
        for place in np.unique(places).tolist()
    ]


def coverage(answers: Answers) -> Coverage:
    """Gives coverage and accuracy with each confidence as the threshold; needs a crop."""
    order = np.argsort(-answers.confidence, kind="stable")
    thresholds = answers.confidence[order]
    right = np.cumsum((answers.gender == answers.predicted)[order])
    last = np.append(np.diff(thresholds) != 0, True)  # equal confidences form one step
    numbers = np.arange(1, len(order) + 1)[last]
    shares = [wilson(int(r), int(n)) for r, n in zip(right[last], numbers, strict=True)]
    return Coverage(
        thresholds[last],
        numbers / len(order),
        right[last] / numbers,
        np.array([share.low for share in shares]),
        np.array([share.high for share in shares]),
    )


def confusion(answers: Answers, threshold: float) -> Confusion:
    """Counts predictions by labelled gender; "unknown" below the threshold."""
    predicted = np.where(answers.confidence >= threshold, answers.predicted, "unknown")
    words: tuple[Gender, ...] = get_args(Gender)
    return {
        gender: {word: int((predicted[answers.gender == gender] == word).sum()) for word in words}
        for gender in GENDERS
    }


def _scores(outcome: Outcome, threshold: float) -> Scores:
    return score(outcome.answers, threshold, len(outcome.no_face), len(outcome.unreadable))
