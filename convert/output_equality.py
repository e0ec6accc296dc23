"""Compares all outputs of a network in two formats."""

from __future__ import annotations

import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.runtimes import Runtime


def compute_fraction_differing(one: Runtime, other: Runtime, squares: Pixels) -> float:
    """Returns the fraction of output values that differ between two runtimes; NaN always differs.

    Pairs the outputs by number of channels, because formats can have them in a different order.
    """
    theirs = {output.shape[-1]: output for output in other.run(squares)}
    pairs = [(output, theirs[output.shape[-1]]) for output in one.run(squares)]
    return 1 - float(np.concatenate([(a == b).ravel() for a, b in pairs]).mean())


def are_outputs_equal(one: Runtime, other: Runtime, squares: Pixels) -> bool:
    """Returns whether all outputs of two runtimes are exactly equal; NaN is not."""
    pairs = zip(one.run(squares), other.run(squares), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
