"""Frames are compared in the true frame's units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.train.evaluation.boxes import framing
from image_gender_classifier.train.evaluation.boxes.framing import (
    FrameError,
    compute_error_percentiles,
    measure_frame_error,
)
from image_gender_classifier.train.evaluation.boxes.trials import box_around

TRUE = box_around((100, 60), 40, 40)
SHIFTS = st.floats(-1, 1)


@given(st.floats(0.1, 3), SHIFTS, SHIFTS)
def test_the_error_is_the_move_of_the_frame(ratio: float, right: float, down: float) -> None:
    found = box_around((100 + 40 * right, 60 + 40 * down), 40 * ratio, 40 * ratio)
    reported = measure_frame_error(found, TRUE, "first")
    assert (reported.side, reported.right, reported.down) == pytest.approx(
        (ratio, right, down), abs=1e-9
    )
    assert reported.stage == "first"


def test_percentiles_are_computed_for_each_component() -> None:
    fits = [FrameError("first", 1 + number / 100, number / 1000, -number) for number in range(101)]
    reported = compute_error_percentiles(fits)
    assert reported.n == 101
    assert reported.side == pytest.approx((1.05, 1.5, 1.95))
    assert reported.right == pytest.approx((0.005, 0.05, 0.095))
    assert reported.down == pytest.approx((-95, -50, -5))


def test_no_errors_have_no_percentiles() -> None:
    with pytest.raises(ValueError, match="errors is empty"):
        compute_error_percentiles([])


@pytest.mark.parametrize(
    ("worst", "meets"),
    [
        (FrameError("first", 1.07, 0.02, -0.02), True),
        (FrameError("first", 1.09, 0.0, 0.0), False),
        (FrameError("first", 0.91, 0.0, 0.0), False),
        (FrameError("first", 1.0, 0.04, 0.0), False),
        (FrameError("first", 1.0, 0.0, -0.04), False),
    ],
)
def test_targets_limit_side_and_centre(worst: FrameError, meets: bool) -> None:
    assert framing.meets_targets(compute_error_percentiles([worst])) is meets
