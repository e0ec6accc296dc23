"""How closely found frames lie to the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier.results import Box
from image_gender_classifier.train.evaluation.boxes.trials import centre, side

PERCENTILES = (5, 50, 95)
SIDE_TARGET = 0.08  # what the side's ratio may differ from 1
CENTRE_TARGET = 0.03  # what a centre may differ, over the true side


@dataclass(frozen=True, slots=True)
class Fit:
    """How a found frame lies to the true one.

    Attributes:
        stage: The detector's stage that found it.
        side: Its side over the true side.
        right: How far its centre lies to the right of the true one, over the true side.
        down: How far its centre lies below.
    """

    stage: str
    side: float
    right: float
    down: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of the fits of some frames, those of `PERCENTILES`.

    Attributes:
        n: How many frames.
        side: Of the ratio of sides.
        right: Of the offset to the right.
        down: Of the offset below.
    """

    n: int
    side: tuple[float, ...]
    right: tuple[float, ...]
    down: tuple[float, ...]


def fit(found: Box, true: Box, stage: str) -> Fit:
    """Compares a found frame with the true one."""
    true_side = side(true)
    (x, y), (true_x, true_y) = centre(found), centre(true)
    return Fit(stage, side(found) / true_side, (x - true_x) / true_side, (y - true_y) / true_side)


def spread(fits: Sequence[Fit]) -> Spread:
    """Gives the percentiles of fits.

    Raises:
        ValueError: There are none.
    """
    if not fits:
        raise ValueError("no fit given, expected at least one")
    values = np.array([(one.side, one.right, one.down) for one in fits])
    columns = np.percentile(values, PERCENTILES, axis=0).T.tolist()
    return Spread(len(fits), *(tuple(column) for column in columns))


def meets_targets(spread: Spread) -> bool:
    """Tells whether the outer percentiles keep within the targets of side and centre."""
    sides = all(abs(value - 1) <= SIDE_TARGET for value in spread.side)
    return sides and all(abs(value) <= CENTRE_TARGET for value in (*spread.right, *spread.down))
