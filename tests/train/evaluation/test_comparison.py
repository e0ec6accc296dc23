"""McNemar's test and the words about what a comparison proves."""

from __future__ import annotations

import numpy as np
import pytest

from image_gender_classifier.train.evaluation.comparison import (
    Comparison,
    compute_mcnemar,
    format_comparison,
)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    # Computed by summing the binomial distribution by hand: P(X < k) + P(X = k) / 2, twice.
    [(0, 0, 1.0), (1, 1, 0.75), (0, 1, 0.5), (0, 6, 1 / 64), (1, 5, 2 * (1 + 3) / 64)],
)
def test_p_values_are_mid_p_values(one: int, other: int, p: float) -> None:
    assert compute_mcnemar(one, other) == pytest.approx(p)
    assert compute_mcnemar(other, one) == pytest.approx(p)


def test_large_counts_give_small_or_large_p_values() -> None:
    assert compute_mcnemar(400, 600) < 1e-9
    assert compute_mcnemar(1000, 1001) > 0.9


def comparison_of(count: int, gained: int, lost: int) -> Comparison:
    """`count` pictures, half of them female; each model is wrong on those of the other alone."""
    old, new = np.ones(count, np.bool_), np.ones(count, np.bool_)
    old[:gained] = False
    new[gained : gained + lost] = False
    female = np.arange(count) % 2 == 0
    return Comparison({"female": female, "male": ~female}, old, new)


def test_the_table_of_many_pictures_has_percentages() -> None:
    text = format_comparison(comparison_of(400, 20, 4), "shipped", "new")
    assert "all                             400   95.0 % (92.4 to 96.7)" in text
    assert text.endswith(
        "Of 400 pictures, only new is correct on 20, only shipped on 4: new is better "
        "(McNemar, p = 0.00091)."
    )
    assert "no difference is proven" in format_comparison(comparison_of(400, 3, 4), "a", "b")
    assert "a is better" in format_comparison(comparison_of(400, 0, 9), "a", "b")


def test_the_table_of_few_pictures_has_counts() -> None:
    text = format_comparison(comparison_of(12, 1, 0), "shipped", "new")
    assert "all                              12   11 of 12 (64.6 to 98.5)   12 of 12" in text
    assert "100.0 %" not in text
    assert text.endswith(
        "12 pictures tell the accuracy to ± 12 points only: for other pictures like these it can "
        "be anything from 76 to 100 %. Label more: at least 100 held-out ones."
    )
