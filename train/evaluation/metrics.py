"""Metrics of an evaluation, as pure functions of labels and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import get_args

import numpy as np
import numpy.typing as npt

from image_gender_classifier.train.datasets.sample import BinaryGender

Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.str_]

GENDERS: tuple[BinaryGender, ...] = get_args(BinaryGender)
RACE = "race"
RACE_AND_GENDER = "race × gender"
BINS = 15
_Z = NormalDist().inv_cdf(0.975)  # two-sided 95%


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share with its 95% Wilson interval.

    Attributes:
        n: The denominator.
        value: The share, 0 to 1; None if n is 0.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    n: int
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Labels and predictions, one entry per crop.

    Attributes:
        gender: Labelled gender (N).
        predicted: The likelier gender, regardless of the threshold (N).
        confidence: Its calibrated probability, 0.5 to 1 (float64, N).
        groups: Further labels by kind (N each); "" if a crop has no label of that kind.
    """

    gender: Labels
    predicted: Labels
    confidence: npt.NDArray[np.float64]
    groups: Mapping[str, Labels]


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of an evaluation.

    All but `n`, `accuracy_all`, `no_face` and `unreadable` refer to the predicted crops.

    Attributes:
        n: Number of pictures.
        predicted: Number of pictures with a prediction: readable and with a face.
        accuracy: Share of correct predictions, regardless of the threshold.
        accuracy_all: Share of correct predictions among all pictures.
        tpr: True positive rate of each labelled gender.
        balanced_accuracy: Mean of both rates; None if a gender is missing.
        groups: Accuracy by kind of group and label; "race × gender" has keys as "Black female".
        ece: Expected calibration error; None without predictions.
        classified: Share whose confidence reaches the threshold.
        classified_accuracy: Accuracy of these.
        no_face: Share of all pictures without a detected face.
        unreadable: Number of unreadable pictures.
    """

    n: int
    predicted: int
    accuracy: Proportion
    accuracy_all: Proportion
    tpr: Mapping[BinaryGender, Proportion]
    balanced_accuracy: float | None
    groups: Mapping[str, Mapping[str, Proportion]]
    ece: float | None
    classified: Proportion
    classified_accuracy: Proportion
    no_face: Proportion
    unreadable: int


def score(answers: Answers, threshold: float, no_face: int = 0, unreadable: int = 0) -> Scores:
    """Scores predictions.

    Args:
        answers: Labels and predictions.
        threshold: Lowest confidence of a classified crop, 0 to 1.
        no_face: Number of further pictures without a detected face.
        unreadable: Number of further, unreadable pictures.
    """
    correct = answers.gender == answers.predicted
    predicted = len(correct)
    total = predicted + no_face + unreadable
    classified = answers.confidence >= threshold
    tpr = {gender: _share(correct[answers.gender == gender]) for gender in GENDERS}
    rates = [rate.value for rate in tpr.values() if rate.value is not None]
    return Scores(
        n=total,
        predicted=predicted,
        accuracy=_share(correct),
        accuracy_all=wilson(int(correct.sum()), total),
        tpr=tpr,
        balanced_accuracy=sum(rates) / len(rates) if len(rates) == len(GENDERS) else None,
        groups={kind: _by_label(correct, labels) for kind, labels in _kinds(answers).items()},
        ece=expected_calibration_error(answers.confidence, correct) if predicted else None,
        classified=_share(classified),
        classified_accuracy=_share(correct[classified]),
        no_face=wilson(no_face, total),
        unreadable=unreadable,
    )


def wilson(successes: int, n: int) -> Proportion:
    """Gives a share with its 95% Wilson score interval.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.
    Unlike the normal interval, it stays within 0 to 1 and keeps its level for small n.

    Raises:
        ValueError: Not 0 <= successes <= n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}, expected 0 to {n}")
    if n == 0:
        return Proportion(0, None, 0.0, 1.0)
    value = successes / n
    shrink = 1 + _Z**2 / n
    centre = (value + _Z**2 / (2 * n)) / shrink
    half = _Z / shrink * (value * (1 - value) / n + _Z**2 / (4 * n**2)) ** 0.5
    # Rounding can move an end past 0, 1 or the value.
    return Proportion(
        n, value, min(max(centre - half, 0.0), value), max(min(centre + half, 1.0), value)
    )


def expected_calibration_error(
    confidence: npt.NDArray[np.float64], correct: Flags, bins: int = BINS
) -> float:
    """Gives the mean gap between confidence and accuracy over bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: the sum over bins of the
    bin's share times |accuracy - mean confidence|. Bins are open below and closed above, and
    divide 0.5 to 1, because the confidence of two classes is never below 0.5.

    Args:
        confidence: Confidence of each prediction, 0.5 to 1 (float64, N > 0).
        correct: Whether each prediction is correct (bool, N).
        bins: Number of bins.

    Raises:
        ValueError: `confidence` is empty or out of range.
    """
    if len(confidence) == 0:
        raise ValueError("no confidence given, expected at least one")
    if not ((confidence >= 0.5) & (confidence <= 1)).all():
        raise ValueError("a confidence is out of range, expected 0.5 to 1")
    places = bin_of(confidence, bins)
    gaps = np.bincount(places, weights=correct.astype(np.float64) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def bin_of(confidence: npt.NDArray[np.float64], bins: int = BINS) -> npt.NDArray[np.int64]:
    """Returns the bin index of each confidence (int64, N): equal parts of 0.5 to 1, open below."""
    # One division per bound gives the float nearest to it, such as 0.8; a product would not.
    upper = np.arange(bins + 1, 2 * bins) / (2 * bins)
    return np.searchsorted(upper, confidence, side="left")


def _kinds(answers: Answers) -> dict[str, Labels]:
    kinds = dict(answers.groups)
    if RACE in kinds:
        races = kinds[RACE]
        cells = [f"{race} {gender}" for race, gender in zip(races, answers.gender, strict=True)]
        kinds[RACE_AND_GENDER] = np.where(races == "", "", np.array(cells, np.str_))
    return kinds


def _by_label(correct: Flags, labels: Labels) -> dict[str, Proportion]:
    return {str(label): _share(correct[labels == label]) for label in np.unique(labels) if label}


def _share(flags: Flags) -> Proportion:
    return wilson(int(flags.sum()), len(flags))
