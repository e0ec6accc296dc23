"""Frames are compared in the true frame's units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.train.evaluation.boxes import framing
from image_gender_classifier.train.evaluation.boxes.framing import Fit, fit, spread
from image_gender_classifier.train.evaluation.boxes.trials import centred

TRUE = centred((100, 60), 40, 40)
SHIFTS = st.floats(-1, 1)


@given(st.floats(0.1, 3), SHIFTS, SHIFTS)
def test_a_fit_tells_how_the_frame_was_moved(ratio: float, right: float, down: float) -> None:
    found = centred((100 + 40 * right, 60 + 40 * down), 40 * ratio, 40 * ratio)
    reported = fit(found, TRUE, "first")
    assert (reported.side, reported.right, reported.down) == pytest.approx(
        (ratio, right, down), abs=1e-9
    )
    assert reported.stage == "first"


def test_percentiles() -> None:
    fits = [Fit("first", 1 + number / 100, number / 1000, -number) for number in range(101)]
    reported = spread(fits)
    assert reported.n == 101
    assert reported.side == pytest.approx((1.05, 1.5, 1.95))
    assert reported.right == pytest.approx((0.005, 0.05, 0.095))
    assert reported.down == pytest.approx((-95, -50, -5))


def test_nothing_has_no_spread() -> None:
    with pytest.raises(ValueError, match="no fit"):
        spread([])


@pytest.mark.parametrize(
    ("worst", "meets"),
    [
        (Fit("first", 1.07, 0.02, -0.02), True),
        (Fit("first", 1.09, 0.0, 0.0), False),
        (Fit("first", 0.91, 0.0, 0.0), False),
        (Fit("first", 1.0, 0.04, 0.0), False),
        (Fit("first", 1.0, 0.0, -0.04), False),
    ],
)
def test_targets(worst: Fit, meets: bool) -> None:
    assert framing.meets_targets(spread([worst])) is meets
