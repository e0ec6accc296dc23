"""What float32 can hold: sums of integers that stay exact, and XNNPACK's multipliers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError

LOWER_BITS = 11  # of a multiplier: the rest has no more than 10
_MULTIPLIER_BITS = 21
_LARGEST_EXACT = 2**24  # of float32's integers
_TRIFLE = 0.01  # more than float32 errs by among numbers of int8's range
Numbers = npt.NDArray[Any]
_TOO_LARGE = "it has sums that are too large to be exact in float32"


def largest_sums(weights: Numbers, lowest: float, highest: float) -> Numbers:
    """The largest sum, whatever its sign, that a part of each channel's products can have.

    Args:
        weights: Integers, C x N.
        lowest: The lowest number that any of the N can be multiplied with.
        highest: The highest.

    Returns:
        float64, C.
    """
    ends = np.stack([weights * lowest, weights * highest])
    upwards = np.maximum(ends.max(axis=0), 0).sum(axis=1)
    downwards = np.minimum(ends.min(axis=0), 0).sum(axis=1)
    return np.asarray(np.maximum(upwards, -downwards), np.float64)


def check_sums(
    products: Numbers, biases: Numbers, scales: Numbers, limits: tuple[float, float]
) -> None:
    """Checks that no sum, nor a part of one, is too large for float32 to be exact.

    It does no harm where products are so small beside a bias that all sums end at one integer.

    Args:
        products: By channel, the most that products can add up to.
        biases: What is added to them.
        scales: What sums are multiplied by to become integers.
        limits: The lowest and the highest of these.

    Raises:
        ModelError: A channel could be inexact.
    """
    lowest, highest = (
        np.round(np.clip((biases + way * products) * scales + way * _TRIFLE, *limits))
        for way in (-1, 1)
    )
    if np.any((products + np.abs(biases) > _LARGEST_EXACT) & (lowest != highest)):
        raise ModelError(_TOO_LARGE)


def fixed_point(factors: npt.NDArray[np.float32]) -> tuple[Numbers, int]:
    """Gives integers and a shift, so that each factor is about integer / 2^shift.

    As XNNPACK takes them for its sums: the largest has 21 bits.

    Raises:
        ModelError: A factor is too large for its lower bits to be added apart.
    """
    shift = _MULTIPLIER_BITS - int(np.frexp(factors.max())[1])
    if shift <= LOWER_BITS:
        raise ModelError(_TOO_LARGE)
    return np.rint(factors.astype(np.float64) * 2.0**shift).astype(np.int64), shift
