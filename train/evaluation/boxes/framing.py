"""Errors of detected frames against the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes.trials import centre, side

PERCENTILES = (5, 50, 95)
SIDE_TARGET = 0.08  # maximum deviation of the side's ratio from 1
CENTRE_TARGET = 0.03  # maximum offset of the centre, over the true side


@dataclass(frozen=True, slots=True)
class Fit:
    """Error of a detected frame.

    Attributes:
        stage: The detector stage that found it.
        side: Its side over the true side.
        right: Offset of its centre to the right, over the true side.
        down: Offset of its centre downwards, over the true side.
    """

    stage: str
    side: float
    right: float
    down: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The `PERCENTILES` of the errors of some frames.

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


def fit(found: Box, true: Box, stage: str) -> Fit:
    """Compares a detected frame with the true one."""
    true_side = side(true)
    (x, y), (true_x, true_y) = centre(found), centre(true)
    return Fit(stage, side(found) / true_side, (x - true_x) / true_side, (y - true_y) / true_side)


def spread(fits: Sequence[Fit]) -> Spread:
    """Computes the percentiles of fits.

    Raises:
        ValueError: `fits` is empty.
    """
    if not fits:
        raise ValueError("no fit given, expected at least one")
    values = np.array([(one.side, one.right, one.down) for one in fits])
    columns = np.percentile(values, PERCENTILES, axis=0).T.tolist()
    return Spread(len(fits), *(tuple(column) for column in columns))


def meets_targets(spread: Spread) -> bool:
    """Reports whether the outer percentiles meet the targets of side and centre."""
    sides = all(abs(value - 1) <= SIDE_TARGET for value in spread.side)
    return sides and all(abs(value) <= CENTRE_TARGET for value in (*spread.right, *spread.down))
