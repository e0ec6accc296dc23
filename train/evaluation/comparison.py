"""Compares the accuracy of two models on the same labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from image_gender_classifier.train.datasets.reading import format_count
from image_gender_classifier.train.evaluation.evaluation_report import (
    format_interval,
    format_rate,
)
from image_gender_classifier.train.evaluation.metrics import Proportion, wilson_interval

FEW = 100  # pictures; with fewer, the report explains how uncertain its figures are
_SIGNIFICANT = 0.05
_COLUMNS = "{:<28}{:>7}   {:<26}{:<26}"
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Which of N labelled pictures two models classify correctly.

    Attributes:
        groups: Whether each picture belongs to a group (bool, N), by name of the group.
        old: Whether the earlier model is correct (bool, N).
        new: Whether the new model is correct (bool, N).
    """

    groups: Mapping[str, _Flags]
    old: _Flags
    new: _Flags

    @property
    def gained(self) -> int:
        """Number of pictures that only the new model classifies correctly."""
        return int(np.sum(self.new & ~self.old))

    @property
    def lost(self) -> int:
        """Number of pictures that only the earlier model classifies correctly."""
        return int(np.sum(self.old & ~self.new))


def compute_mcnemar(one: int, other: int) -> float:
    """Returns the p-value of McNemar's test (mid-p) that two models are equally accurate.

    See Fagerland, Lydersen and Laake, "The McNemar test for binary matched-pairs data" (BMC Medical
    Research Methodology, 2013).

    Args:
        one: Number of pictures that only the first model classifies correctly.
        other: Number of pictures that only the second model classifies correctly.
    """
    total, fewer = one + other, min(one, other)
    if one == other:  # the formula would exceed 1 - P(equal) / 2
        return 1.0 if total == 0 else float(1 - comb(total, fewer) / 2 ** (total + 1))
    tail = sum(comb(total, count) for count in range(fewer + 1))
    return float((2 * tail - comb(total, fewer)) / 2**total)


def format_comparison(comparison: Comparison, old: str, new: str) -> str:
    """Formats a comparison as a table with 95% intervals, and says what it proves.

    Args:
        comparison: At least one picture.
        old: Name of the earlier model.
        new: Name of the new model.
    """
    rows = {"all": np.ones_like(comparison.new), **comparison.groups}
    lines = [_COLUMNS.format("", "n", old, new).rstrip()]
    for name, chosen in rows.items():
        both = (_rate(correct[chosen]) for correct in (comparison.old, comparison.new))
        cells = [_format_cell(rate) for rate in both]
        lines.append(_COLUMNS.format(name, f"{int(chosen.sum()):,}", *cells).rstrip())
    return "\n".join([*lines, describe_difference(comparison, old, new)])


def describe_difference(comparison: Comparison, old: str, new: str) -> str:
    """Returns sentences about the pictures on which the models differ, and few pictures."""
    gained, lost = comparison.gained, comparison.lost
    count = len(comparison.new)
    pictures = format_count(count, "picture")
    p = compute_mcnemar(gained, lost)
    if p >= _SIGNIFICANT:
        meaning = "no difference is proven"
    else:
        meaning = f"{new if gained > lost else old} is better"
    text = (
        f"Of {pictures}, only {new} is correct on {gained:,}, only {old} on {lost:,}: {meaning} "
        f"(McNemar, p = {p:.2g})."
    )
    return text if count >= FEW else f"{text}\n{describe_few(_rate(comparison.new))}"


def describe_few(accuracy: Proportion) -> str:
    """Returns a sentence about the uncertainty of an accuracy on few pictures."""
    points = round(100 * (accuracy.high - accuracy.low) / 2)
    return (
        f"{format_count(accuracy.n, 'picture')} tell the accuracy to ± {points} points only: for "
        f"other pictures like these it can be anything from {100 * accuracy.low:.0f} to "
        f"{100 * accuracy.high:.0f} %. Label more: at least {FEW} held-out ones."
    )


def _rate(correct: _Flags) -> Proportion:
    return wilson_interval(int(correct.sum()), len(correct))


def _format_cell(rate: Proportion) -> str:
    return f"{format_rate(rate)} ({format_interval(rate)})" if rate.n else "-"
