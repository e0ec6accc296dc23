"""Metrics of a gender classifier, as pure functions of labels and predictions."""

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
    """A proportion with its 95% Wilson interval.

    Attributes:
        n: The denominator.
        value: The proportion, 0 to 1; None if n is 0.
        low: Lower end of the interval, 0 to 1; 0 if n is 0.
        high: Upper end of the interval, 0 to 1; 1 if n is 0.
    """

    n: int
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Labels and predictions of N crops.

    Attributes:
        gender: Labelled gender (N).
        predicted: The more probable gender, regardless of the threshold (N).
        confidence: Calibrated probability of the predicted gender, 0.5 to 1 (float64, N).
        groups: Other labels by kind, such as "age" (N each); "" if a crop has no such label.
    """

    gender: Labels
    predicted: Labels
    confidence: npt.NDArray[np.float64]
    groups: Mapping[str, Labels]


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a gender classifier on labelled pictures.

    All but `n`, `accuracy_all`, `no_face` and `unreadable` refer to pictures with a prediction.

    Attributes:
        n: Number of pictures.
        predicted: Number of pictures with a prediction: readable and with a detected face.
        accuracy: Fraction of correct predictions, regardless of the threshold.
        accuracy_all: Fraction of all pictures with a correct prediction.
        tpr: True positive rate (recall) of each labelled gender.
        balanced_accuracy: Mean of both true positive rates; None if a gender is missing.
        groups: Accuracy by kind of group and label, such as "Black female" for the kind
            "race × gender".
        ece: Expected calibration error; None if there are no predictions.
        classified: Fraction of the predictions whose confidence reaches the threshold.
        classified_accuracy: Accuracy of those predictions.
        no_face: Fraction of all pictures that are readable but have no detected face.
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


def compute_scores(
    predictions: Predictions, threshold: float, no_face: int = 0, unreadable: int = 0
) -> Scores:
    """Computes the scores of a gender classifier from its predictions.

    Args:
        predictions: Labels and predictions of the crops; may be empty.
        threshold: Lowest confidence of a classified crop, 0 to 1.
        no_face: Number of additional pictures without a detected face.
        unreadable: Number of additional pictures that cannot be decoded.

    Returns:
        The scores; `n` includes the additional pictures.
    """
    correct = predictions.gender == predictions.predicted
    predicted = len(correct)
    total = predicted + no_face + unreadable
    classified = predictions.confidence >= threshold
    tpr = {gender: _compute_proportion(correct[predictions.gender == gender]) for gender in GENDERS}
    rates = [rate.value for rate in tpr.values() if rate.value is not None]
    return Scores(
        n=total,
        predicted=predicted,
        accuracy=_compute_proportion(correct),
        accuracy_all=wilson_interval(int(correct.sum()), total),
        tpr=tpr,
        balanced_accuracy=sum(rates) / len(rates) if len(rates) == len(GENDERS) else None,
        groups={
            kind: _group_by_label(correct, labels)
            for kind, labels in add_race_and_gender(predictions).items()
        },
        ece=expected_calibration_error(predictions.confidence, correct) if predicted else None,
        classified=_compute_proportion(classified),
        classified_accuracy=_compute_proportion(correct[classified]),
        no_face=wilson_interval(no_face, total),
        unreadable=unreadable,
    )


def wilson_interval(successes: int, n: int) -> Proportion:
    """Returns the proportion `successes / n` with its 95% Wilson score interval.

    See Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.
    Unlike the normal approximation, the interval stays within 0 to 1 and is accurate for small n.

    Raises:
        ValueError: `successes` is negative or greater than `n`.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes is {successes}, expected 0 to {n}")
    if n == 0:
        return Proportion(0, None, 0.0, 1.0)
    value = successes / n
    shrink = 1 + _Z**2 / n
    centre = (value + _Z**2 / (2 * n)) / shrink
    half = _Z / shrink * (value * (1 - value) / n + _Z**2 / (4 * n**2)) ** 0.5
    # Rounding errors can move an end beyond 0, 1 or the value.
    return Proportion(
        n, value, min(max(centre - half, 0.0), value), max(min(centre + half, 1.0), value)
    )


def expected_calibration_error(
    confidence: npt.NDArray[np.float64], correct: Flags, bins: int = BINS
) -> float:
    """Computes the expected calibration error (ECE) over bins of equal width.

    As defined by Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: the sum over
    bins of the bin's fraction of predictions times |accuracy - mean confidence|. The bins divide
    0.5 to 1, because the confidence of two classes is never below 0.5; see `bin_indices`.

    Args:
        confidence: Confidence of each prediction, 0.5 to 1 (float64, N > 0).
        correct: Whether each prediction is correct (bool, N).
        bins: Number of bins.

    Returns:
        The error, 0 to 1.

    Raises:
        ValueError: `confidence` is empty or out of range.
    """
    if len(confidence) == 0:
        raise ValueError("confidence is empty")
    if not ((confidence >= 0.5) & (confidence <= 1)).all():
        raise ValueError("confidence contains a value outside 0.5 to 1")
    indices = bin_indices(confidence, bins)
    gaps = np.bincount(indices, weights=correct.astype(np.float64) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def bin_indices(confidence: npt.NDArray[np.float64], bins: int = BINS) -> npt.NDArray[np.int64]:
    """Returns the index of each confidence's bin (int64, N).

    Bins divide 0.5 to 1 evenly. A bin includes its upper end; only the first includes its lower
    end.

    Args:
        confidence: float64, N, 0.5 to 1.
        bins: Number of bins.
    """
    # One division per bound gives the float nearest to it, such as 0.8; a product would not.
    upper = np.arange(bins + 1, 2 * bins) / (2 * bins)
    return np.searchsorted(upper, confidence, side="left")


def add_race_and_gender(predictions: Predictions) -> dict[str, Labels]:
    """Returns the group labels by kind; adds race x gender if there are race labels."""
    kinds = dict(predictions.groups)
    if RACE in kinds:
        races = kinds[RACE]
        cells = [f"{race} {gender}" for race, gender in zip(races, predictions.gender, strict=True)]
        kinds[RACE_AND_GENDER] = np.where(races == "", "", np.array(cells, np.str_))
    return kinds


def _group_by_label(correct: Flags, labels: Labels) -> dict[str, Proportion]:
    """Returns the accuracy by label; omits crops without a label ("")."""
    return {
        str(label): _compute_proportion(correct[labels == label])
        for label in np.unique(labels)
        if label
    }


def _compute_proportion(flags: Flags) -> Proportion:
    return wilson_interval(int(flags.sum()), len(flags))
