"""Compares the frame output of an int8 gender network with that of the Keras model."""

from __future__ import annotations

import numpy as np

from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FRAME_SHAPE, FrameOutput
from image_gender_classifier.runtimes import Runtime

MAX_DIFFERENCE = 0.01
"""Largest mean difference of corrections, in sides of the frame and of its logarithm."""


def measure_frame_difference(
    keras: Runtime, tflite: Runtime, units: FrameOutput, crops: Pixels
) -> float:
    """Returns the mean absolute difference of the corrections: right, down, logarithm of the side.

    Args:
        keras: The Keras model.
        tflite: The TFLite file.
        units: Units of the frame output.
        crops: uint8 RGB, N x S x S x 3, N > 0.

    Raises:
        ModelError: One of them cannot be run, or has no frame output.
    """
    outputs = [
        [output for output in model.run(crops) if output.shape[1:] == FRAME_SHAPE]
        for model in (keras, tflite)
    ]
    if not all(outputs):
        raise ModelError("the model has no frame output; run image-gender-train-frame-output")
    (exact,), (quantised,) = outputs
    return float(np.abs((exact - quantised) * np.array(units)).mean())


def format_frame_difference(difference: float) -> str:
    """Returns the line about a difference for the output of the conversion."""
    return (
        f"corrections of frames: TFLite differs from Keras by {100 * difference:.2f} % of the side"
    )


def find_frame_faults(difference: float) -> list[str]:
    """Returns why files with a difference from Keras cannot be published; empty if they can."""
    if difference <= MAX_DIFFERENCE:  # false for NaN
        return []
    return [
        f"corrections of frames differ from Keras by {100 * difference:.2f} % of the side on "
        f"average; at most {100 * MAX_DIFFERENCE:.0f} % are allowed"
    ]
