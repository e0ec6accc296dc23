"""Faults of formats whose outputs differ from those of TFLite."""

from __future__ import annotations

import numpy as np
import pytest
from fixed_networks import FixedNetwork

pytest.importorskip("keras")

from image_gender_classifier.convert.output_equality import (
    compute_fraction_differing,
    find_float32_fault,
    find_onnx_faults,
)

SQUARES = np.zeros((2, 4, 4, 3), np.uint8)


def constant(one: float, three: float) -> FixedNetwork:
    """A network with constant outputs, of one and of three channels."""
    return FixedNetwork(4, np.full((2, 1), one), np.full((2, 3), three))


@pytest.mark.parametrize(
    ("other", "fraction"), [((1, 2), 0), ((1, 5), 0.75), ((5, 2), 0.25), ((np.nan, 2), 0.25)]
)
def test_the_fraction_counts_all_output_values(other: tuple[float, float], fraction: float) -> None:
    tflite, changed = constant(1, 2), constant(*other)
    assert compute_fraction_differing(tflite, changed, SQUARES) == fraction
    assert (find_float32_fault(tflite, changed, SQUARES) is None) == (fraction == 0)


def test_a_missing_float32_variant_is_no_fault() -> None:
    assert find_float32_fault(constant(1, 2), None, SQUARES) is None


def test_nan_equals_nothing() -> None:
    unknown = constant(np.nan, 2)
    assert compute_fraction_differing(unknown, unknown, SQUARES) == 0.25
    assert find_float32_fault(unknown, unknown, SQUARES) is not None


def test_one_differing_value_is_a_fault_of_onnx() -> None:
    assert find_onnx_faults(0.0) == []
    (fault,) = find_onnx_faults(1e-6)
    assert fault.startswith("ONNX: 0.0001 % of the output values differ")
    assert find_onnx_faults(float("nan"))
