"""The contents of an evaluation report (`Findings`), and the metrics that only the report shows.

These are differences between groups, accuracy under and over the age of ten, the reliability
diagram, the coverage curve and the confusion matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import get_args

import numpy as np
import numpy.typing as npt

from image_gender_classifier.results import BinaryGender, Gender
from image_gender_classifier.train.datasets.age_bands import AGE_BANDS
from image_gender_classifier.train.evaluation.evaluation_report import Setting
from image_gender_classifier.train.evaluation.metrics import (
    BINS,
    GENDERS,
    Predictions,
    Proportion,
    Scores,
    bin_indices,
    compute_scores,
    wilson_interval,
)
from image_gender_classifier.train.evaluation.predictions import SampleResults
from image_gender_classifier.train.evaluation.robustness import Degradation

UNDER_TEN = AGE_BANDS[:2]  # "0-2" and "3-9"

Numbers = npt.NDArray[np.float64]
Confusion = Mapping[BinaryGender, Mapping[Gender, int]]
"""Confusion matrix: number of crops by labelled gender, then by predicted gender."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference between two proportions with its 95% interval.

    Attributes:
        value: The difference, -1 to 1.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of the reliability diagram with at least one crop.

    Attributes:
        low: Lower end of the bin, exclusive except in the first bin.
        high: Upper end of the bin, inclusive.
        confidence: Mean confidence of its crops.
        accuracy: Fraction of correct predictions.
    """

    low: float
    high: float
    confidence: float
    accuracy: Proportion


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """The coverage curve: M points in descending order of the threshold (float64, M each).

    Attributes:
        threshold: The threshold.
        fraction: Fraction of the crops whose confidence reaches the threshold.
        accuracy: Accuracy on those crops.
        low: Lower end of the accuracy's interval.
        high: Upper end of the accuracy's interval.
    """

    threshold: Numbers
    fraction: Numbers
    accuracy: Numbers
    low: Numbers
    high: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """The contents of an evaluation report.

    Attributes:
        setting: The model and the data.
        trained_on: Whether the model was trained on some of the pictures.
        predictions: Labels and predictions of the original crops.
        scores: Scores of the original crops.
        degraded: Scores of the degraded crops by degradation, in descending order of accuracy.
    """

    setting: Setting
    trained_on: bool
    predictions: Predictions
    scores: Scores
    degraded: Mapping[str, Scores]


def make_findings(
    setting: Setting,
    trained_on: bool,
    degradations: Sequence[Degradation],
    results: Sequence[SampleResults],
) -> Findings:
    """Scores the original and the degraded crops.

    Args:
        setting: The model and the data.
        trained_on: Whether the model was trained on some of the pictures.
        degradations: The degradations, without `robustness.CLEAN`.
        results: Results of the original crops, then those of each degradation.

    Returns:
        The contents of the report.
    """
    clean, *others = [_score_results(version, setting.threshold) for version in results]
    scores = {way.name: score for way, score in zip(degradations, others, strict=True)}
    names = sorted(scores, key=lambda name: scores[name].accuracy.value or 0.0, reverse=True)
    degraded = {name: scores[name] for name in names}
    return Findings(setting, trained_on, results[0].predictions, clean, degraded)


def compute_difference(one: Proportion, other: Proportion) -> Difference | None:
    """Computes `one` minus `other` with its 95% interval; returns None if either has no value.

    The proportions must be independent. Combines their Wilson intervals by method 10 of Newcombe,
    "Interval Estimation for the Difference between Independent Proportions", Statistics in Medicine
    1998.
    """
    if one.value is None or other.value is None:
        return None
    value = one.value - other.value
    below = hypot(one.value - one.low, other.high - other.value)
    above = hypot(one.high - one.value, other.value - other.low)
    return Difference(value, value - below, value + above)


def accuracy_under_and_over_ten(predictions: Predictions) -> dict[str, Proportion]:
    """Computes the accuracy for ages under 10 and for ages of 10 and over.

    Returns:
        The accuracies by the names "10 and over" and "under 10". Omits an age group without crops;
        empty if no crop has an age label.
    """
    ages = predictions.groups.get("age", np.array([], np.str_))
    if not ages.any():
        return {}
    correct = predictions.gender == predictions.predicted
    young = np.isin(ages, UNDER_TEN)
    parts = {"10 and over": correct[(ages != "") & ~young], "under 10": correct[young]}
    return {
        name: wilson_interval(int(part.sum()), len(part))
        for name, part in parts.items()
        if len(part)
    }


def compute_reliability(predictions: Predictions) -> list[Bin]:
    """Computes a reliability diagram, using the bins of `metrics.expected_calibration_error`.

    Returns:
        The bins that contain crops, in ascending order of confidence; empty without predictions.
    """
    correct = predictions.gender == predictions.predicted
    indices = bin_indices(predictions.confidence)
    ends = np.linspace(0.5, 1, BINS + 1).tolist()
    return [
        Bin(
            ends[index],
            ends[index + 1],
            float(predictions.confidence[indices == index].mean()),
            wilson_interval(int(correct[indices == index].sum()), int((indices == index).sum())),
        )
        for index in np.unique(indices).tolist()
    ]


def compute_coverage(predictions: Predictions) -> Coverage:
    """Computes coverage and accuracy with each distinct confidence as the threshold.

    Args:
        predictions: Labels and predictions of at least one crop.

    Returns:
        The coverage curve: one point per distinct confidence, in descending order.
    """
    order = np.argsort(-predictions.confidence, kind="stable")
    thresholds = predictions.confidence[order]
    correct = np.cumsum((predictions.gender == predictions.predicted)[order])
    last = np.append(np.diff(thresholds) != 0, True)  # equal confidences form one step
    numbers = np.arange(1, len(order) + 1)[last]
    accuracies = [
        wilson_interval(int(c), int(n)) for c, n in zip(correct[last], numbers, strict=True)
    ]
    return Coverage(
        thresholds[last],
        numbers / len(order),
        correct[last] / numbers,
        np.array([accuracy.low for accuracy in accuracies]),
        np.array([accuracy.high for accuracy in accuracies]),
    )


def compute_confusion(predictions: Predictions, threshold: float) -> Confusion:
    """Computes the confusion matrix; a crop below the threshold counts as "unknown".

    Args:
        predictions: Labels and predictions of the crops.
        threshold: Lowest confidence of a classified crop, 0 to 1.

    Returns:
        Number of crops by labelled gender, then by predicted gender; all combinations are present.
    """
    predicted = np.where(predictions.confidence >= threshold, predictions.predicted, "unknown")
    words: tuple[Gender, ...] = get_args(Gender)
    return {
        gender: {
            word: int((predicted[predictions.gender == gender] == word).sum()) for word in words
        }
        for gender in GENDERS
    }


def _score_results(results: SampleResults, threshold: float) -> Scores:
    return compute_scores(
        results.predictions, threshold, len(results.no_face), len(results.unreadable)
    )
