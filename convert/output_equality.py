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


def find_onnx_faults(differing: float) -> list[str]:
    """Returns the fault of an ONNX file if any of its output values differ from those of TFLite.

    Args:
        differing: Fraction of the output values that differ, 0 to 1.
    """
    if differing == 0:  # false for NaN
        return []
    return [f"ONNX: {100 * differing:.4f} % of the output values differ from TFLite"]


def find_float32_fault(tflite: Runtime, variant: Runtime | None, squares: Pixels) -> str | None:
    """Returns why a float32 variant cannot be published: all its outputs must equal TFLite's.

    Args:
        tflite: The TFLite file.
        variant: Its float32 variant, or None.
        squares: Network inputs (uint8 RGB, N x S x S x 3, N > 0).

    Returns:
        The fault; None if there is none, or no variant.
    """
    if variant is None or are_outputs_equal(tflite, variant, squares):
        return None
    return "its outputs differ from those of TFLite"


def are_outputs_equal(one: Runtime, other: Runtime, squares: Pixels) -> bool:
    """Returns whether all outputs of two runtimes are exactly equal; NaN is not."""
    pairs = zip(one.run(squares), other.run(squares), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
