"""A correction leads from one frame to the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.detection.geometry import correct_frame
from image_gender_classifier.results import Box
from image_gender_classifier.train.common.frame_correction import compute_correction

SHIFTS, SIDES = st.floats(-20, 20), st.floats(60, 150)


@given(SHIFTS, SHIFTS, SIDES)
def test_a_correction_leads_to_the_true_frame(x: float, y: float, side: float) -> None:
    seen, true = Box(5, -8, 100, 100), Box(5 + x, -8 + y, side, side)
    assert correct_frame(seen, *compute_correction(seen, true)) == pytest.approx(true)
