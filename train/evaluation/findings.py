"""What a report tells beyond an evaluation's scores, as pure functions from answers to records."""

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
    """One share less another, with its 95% interval; all from -1 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """The crops whose confidence lies in one bin; there is at least one.

    Attributes:
        low: The bin's lower end, exclusive but for the first bin.
        high: Its upper end, inclusive.
        confidence: Mean confidence.
        accuracy: Share judged right.
    """

    low: float
    high: float
    confidence: float
    accuracy: Proportion


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What each threshold gives, from the highest confidence downwards (M each).

    Attributes:
        threshold: The threshold.
        share: Share of the crops that reach it.
        accuracy: Share judged right of these.
        low: Lower end of its interval.
        high: Upper end of its interval.
    """

    threshold: Numbers
    share: Numbers
    accuracy: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """All that the report shows.

    Attributes:
        setting: What was measured on what.
        learnt_from: Whether the model learnt from some of the pictures.
        answers: To the crops as they are.
        scores: Of these.
        degraded: Scores by degradation, from the best accuracy to the worst.
    """

    setting: Setting
    learnt_from: bool
    answers: Answers
    scores: Scores
    degraded: Mapping[str, Scores]


def find(
    setting: Setting, learnt_from: bool, ways: Sequence[Degradation], outcomes: Sequence[Outcome]
) -> Findings:
    """Scores the outcomes: first the one of the crops as they are, then one a degradation."""
    clean, *others = [_scores(outcome, setting.threshold) for outcome in outcomes]
    named = {way.name: scores for way, scores in zip(ways, others, strict=True)}
    falling = sorted(named, key=lambda name: named[name].accuracy.value or 0.0, reverse=True)
    degraded = {name: named[name] for name in falling}
    return Findings(setting, learnt_from, outcomes[0].answers, clean, degraded)


def difference(one: Proportion, other: Proportion) -> Difference | None:
    """Gives the difference of two independent shares; None where one is missing.

    Newcombe, "Interval Estimation for the Difference between Independent Proportions", Statistics
    in Medicine 1998, method 10: from the two Wilson intervals.
    """
    if one.value is None or other.value is None:
        return None
    value = one.value - other.value
    below = hypot(one.value - one.low, other.high - other.value)
    above = hypot(one.high - one.value, other.value - other.low)
    return Difference(value, value - below, value + above)


def by_ten_years(answers: Answers) -> dict[str, Proportion]:
    """Gives the accuracy under ten and from ten years on; nothing where no age is known."""
    ages = answers.groups.get("age", np.array([], np.str_))
    if not ages.any():
        return {}
    correct = answers.gender == answers.said
    young = np.isin(ages, UNDER_TEN)
    parts = {"10 and over": correct[(ages != "") & ~young], "under 10": correct[young]}
    return {name: wilson(int(part.sum()), len(part)) for name, part in parts.items() if len(part)}


def reliability(answers: Answers) -> list[Bin]:
    """Divides the crops into bins of confidence as `metrics.expected_calibration_error` does."""
    correct = answers.gender == answers.said
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
    """Gives share and accuracy of what is classified for every confidence as the threshold.

    There must be one crop at least.
    """
    order = np.argsort(-answers.confidence, kind="stable")
    thresholds = answers.confidence[order]
    right = np.cumsum((answers.gender == answers.said)[order])
    last = np.append(np.diff(thresholds) != 0, True)  # equal ones go together
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
    """Counts what was said of each labelled gender; "unknown" below the threshold."""
    said = np.where(answers.confidence >= threshold, answers.said, "unknown")
    words: tuple[Gender, ...] = get_args(Gender)
    return {
        gender: {word: int((said[answers.gender == gender] == word).sum()) for word in words}
        for gender in GENDERS
    }


def _scores(outcome: Outcome, threshold: float) -> Scores:
    return score(outcome.answers, threshold, len(outcome.no_face), len(outcome.unreadable))
