"""Checks that integer sums are exact in float32; computes XNNPACK's fixed-point multipliers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError

LOWER_BITS = 11  # of a multiplier; the upper part has at most 10 bits
_MULTIPLIER_BITS = 21
_LARGEST_EXACT = 2**24  # float32 represents all integers up to this one
_TOLERANCE = 0.01  # above the rounding error of float32 in the range of int8
Numbers = npt.NDArray[Any]
_TOO_LARGE = "some sums are too large to be exact in float32"


def compute_largest_sums(weights: Numbers, lowest: float, highest: float) -> Numbers:
    """Computes an upper bound of each channel's sums of weights times inputs, in any order.

    Args:
        weights: Integer weights, C x N: one row for each output channel.
        lowest: Lowest value of the inputs.
        highest: Highest value of the inputs.

    Returns:
        The largest possible absolute value of a sum or partial sum in each channel, float64, C.
    """
    ends = np.stack([weights * lowest, weights * highest])
    upwards = np.maximum(ends.max(axis=0), 0).sum(axis=1)
    downwards = np.minimum(ends.min(axis=0), 0).sum(axis=1)
    return np.asarray(np.maximum(upwards, -downwards), np.float64)


def check_sums_exact(
    products: Numbers, biases: Numbers, scales: Numbers, limits: tuple[float, float]
) -> None:
    """Checks that the sums and partial sums of a layer are exact in float32.

    Allows larger sums in channels whose output is the same integer for every input.

    Args:
        products: Result of `compute_largest_sums`, one per channel (C).
        biases: Integer bias of each channel (C).
        scales: Factors that scale sums to output integers, one per channel or one for all.
        limits: Lowest and highest output integer; outputs are clamped to them.

    Raises:
        ModelError: A sum can exceed 2^24, above which float32 skips integers.
    """
    lowest, highest = (
        np.round(np.clip((biases + way * products) * scales + way * _TOLERANCE, *limits))
        for way in (-1, 1)
    )
    if np.any((products + np.abs(biases) > _LARGEST_EXACT) & (lowest != highest)):
        raise ModelError(_TOO_LARGE)


def to_fixed_point(factors: npt.NDArray[np.float32]) -> tuple[Numbers, int]:
    """Converts factors to the fixed-point multipliers that XNNPACK uses to add tensors.

    Args:
        factors: Positive factors, float32, at least one.

    Returns:
        Integers (int64) of at most 21 bits, and a shift: each factor is about integer / 2^shift.

    Raises:
        ModelError: The largest factor is too large: the shift would not exceed `LOWER_BITS`.
    """
    shift = _MULTIPLIER_BITS - int(np.frexp(factors.max())[1])
    if shift <= LOWER_BITS:
        raise ModelError(_TOO_LARGE)
    return np.rint(factors.astype(np.float64) * 2.0**shift).astype(np.int64), shift
