"""Localisation errors of detected frames against the ground truth.

A frame is the square around a face that is cropped for the gender classifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes.trials import box_centre, box_side

PERCENTILES = (5, 50, 95)
SIDE_TARGET = 0.08  # maximum deviation of the ratio of sides from 1
CENTRE_TARGET = 0.03  # maximum offset of the centre, over the true side


@dataclass(frozen=True, slots=True)
class FrameError:
    """Localisation error of a detected frame.

    Attributes:
        stage: The detector stage that found the face.
        side: Side of the frame over the true side; 1 is correct.
        right: Offset of the centre to the right, over the true side; negative if to the left.
        down: Offset of the centre downwards, over the true side; negative if upwards.
    """

    stage: str
    side: float
    right: float
    down: float


@dataclass(frozen=True, slots=True)
class ErrorPercentiles:
    """Percentiles (`PERCENTILES`) of the errors of detected frames.

    Attributes:
        n: Number of frames.
        side: Percentiles of the ratio of sides.
        right: Percentiles of the offset to the right.
        down: Percentiles of the offset downwards.
    """

    n: int
    side: tuple[float, ...]
    right: tuple[float, ...]
    down: tuple[float, ...]


def measure_frame_error(found: Box, true: Box, stage: str) -> FrameError:
    """Returns the localisation error of a detected frame against the true frame.

    Args:
        found: The detected frame.
        true: The true frame, in pixels of the same picture.
        stage: The detector stage that found the face.
    """
    true_side = box_side(true)
    (x, y), (true_x, true_y) = box_centre(found), box_centre(true)
    return FrameError(
        stage, box_side(found) / true_side, (x - true_x) / true_side, (y - true_y) / true_side
    )


def compute_error_percentiles(errors: Sequence[FrameError]) -> ErrorPercentiles:
    """Computes the percentiles of frame errors, for each component separately.

    Raises:
        ValueError: `errors` is empty.
    """
    if not errors:
        raise ValueError("errors is empty")
    values = np.array([(error.side, error.right, error.down) for error in errors])
    columns = np.percentile(values, PERCENTILES, axis=0).T.tolist()
    return ErrorPercentiles(len(errors), *(tuple(column) for column in columns))


def meets_targets(errors: ErrorPercentiles) -> bool:
    """Returns whether all percentiles are within `SIDE_TARGET` and `CENTRE_TARGET`."""
    sides = all(abs(value - 1) <= SIDE_TARGET for value in errors.side)
    return sides and all(abs(value) <= CENTRE_TARGET for value in (*errors.right, *errors.down))
