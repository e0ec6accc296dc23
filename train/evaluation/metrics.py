"""The figures of an evaluation, as pure functions from arrays to records.

They know nothing of models, pictures and output: every exported form of a model and every data
set is measured by the same arithmetic, so the figures can be compared.
"""

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
        n: How many it is a share of.
        value: The share, 0 to 1; None where n is 0.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    n: int
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Labels and a model's answers, one entry a crop.

    Attributes:
        gender: Labelled gender (N).
        said: The likelier gender, whatever the threshold (N).
        confidence: Its calibrated probability, 0.5 to 1 (float64, N).
        groups: Further labels by kind (N each); "" where a crop has none of that kind.
    """

    gender: Labels
    said: Labels
    confidence: npt.NDArray[np.float64]
    groups: Mapping[str, Labels]


@dataclass(frozen=True, slots=True)
class Scores:
    """What an evaluation finds.

    All but `n`, `accuracy_all`, `no_face` and `unreadable` speak of the judged crops alone.

    Attributes:
        n: Pictures evaluated.
        judged: Pictures whose crop was judged: readable and with a face.
        accuracy: Share judged right, whatever the threshold.
        accuracy_all: Share of all pictures judged right; those not judged count as wrong.
        tpr: Share judged right of each labelled gender.
        balanced_accuracy: Mean of these; None where a gender is missing.
        groups: Accuracy by kind of group and label; "race × gender" has keys as "Black female".
        ece: Expected calibration error; None where nothing was judged.
        classified: Share whose confidence reaches the threshold.
        classified_accuracy: Share judged right of these.
        no_face: Share of all pictures in which no face was found.
        unreadable: Pictures that cannot be read.
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
    """Scores a model's answers.

    Args:
        answers: The judged crops.
        threshold: Confidence from which a crop counts as classified, 0 to 1.
        no_face: Further pictures in which no face was found.
        unreadable: Further pictures that cannot be read.
    """
    correct = answers.gender == answers.said
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

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927. It
    stays within 0 to 1 and holds its level in the small cells of race × gender, where the usual
    normal interval does neither.

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
    # Rounding alone may carry an end past 0, 1 or the value itself.
    return Proportion(
        n, value, min(max(centre - half, 0.0), value), max(min(centre + half, 1.0), value)
    )


def expected_calibration_error(
    confidence: npt.NDArray[np.float64], correct: Flags, bins: int = BINS
) -> float:
    """Gives the mean gap between confidence and accuracy over bins of equal width.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: the sum over bins of the
    bin's share times |accuracy - mean confidence|, a bin being open below and closed above. They
    divide 0 to 1; here the bins divide 0.5 to 1, because the likelier of two genders never has
    less than 0.5 and half of the bins would stay empty, which hides errors within the others.

    Args:
        confidence: Of the answer given, 0.5 to 1 (N, at least 1).
        correct: Whether the answer is right (bool, N).
        bins: Number of bins.

    Raises:
        ValueError: There is nothing to measure, or a confidence is out of range.
    """
    if len(confidence) == 0:
        raise ValueError("no confidence given, expected at least one")
    if not ((confidence >= 0.5) & (confidence <= 1)).all():
        raise ValueError("a confidence is out of range, expected 0.5 to 1")
    places = bin_of(confidence, bins)
    gaps = np.bincount(places, weights=correct.astype(np.float64) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def bin_of(confidence: npt.NDArray[np.float64], bins: int = BINS) -> npt.NDArray[np.int64]:
    """Gives the place of each confidence's bin: equal parts of 0.5 to 1, open below (N)."""
    places = np.ceil((confidence - 0.5) * 2 * bins).astype(np.int64) - 1
    return np.clip(places, 0, bins - 1)


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
