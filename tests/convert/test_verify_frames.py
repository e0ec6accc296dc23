"""The frame outputs of Keras and TFLite are compared in sides of the frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fixed_networks import FixedNetwork

from image_gender_classifier.convert.verify_frames import (
    MAX_DIFFERENCE,
    find_frame_faults,
    measure_frame_difference,
)
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import FrameOutput

CROPS = np.zeros((2, 4, 4, 3), np.uint8)
UNITS = FrameOutput(right=0.1, down=0.2, log_side=0.3)


def framed(*values: float) -> FixedNetwork:
    """A network whose outputs are in an order of its own."""
    return FixedNetwork(4, np.zeros((2, 2)), [values, values], np.zeros((2, 1)))


def test_the_difference_is_in_sides_of_the_frame() -> None:
    difference = measure_frame_difference(framed(0, 1, 2), framed(3, 1, 1), UNITS, CROPS)
    assert difference == pytest.approx((0.3 + 0 + 0.3) / 3)


def test_a_model_without_a_frame_output_is_refused() -> None:
    with pytest.raises(ModelError, match="no frame output"):
        measure_frame_difference(framed(0, 0, 0), FixedNetwork(4, np.zeros((2, 1))), UNITS, CROPS)


@pytest.mark.parametrize(
    ("difference", "wrong"),
    [(0.0, False), (MAX_DIFFERENCE, False), (1.01 * MAX_DIFFERENCE, True), (math.nan, True)],
)
def test_only_small_differences_are_published(difference: float, wrong: bool) -> None:
    assert bool(find_frame_faults(difference)) == wrong
