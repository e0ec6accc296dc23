"""The correction from one frame of a face to another; `geometry.correct_frame` applies it."""

from __future__ import annotations

from math import log

from image_gender_classifier.classification.classifier import FrameCorrection
from image_gender_classifier.results import Box


def compute_correction(seen: Box, true: Box) -> FrameCorrection:
    """Returns the correction from a square frame to the true one, in the same pixels."""
    right = (true.x - seen.x + (true.width - seen.width) / 2) / seen.width
    down = (true.y - seen.y + (true.width - seen.width) / 2) / seen.width
    return FrameCorrection(right, down, log(true.width / seen.width))
