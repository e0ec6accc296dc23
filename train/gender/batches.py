"""The batches of one epoch: augmented crops with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.gender.augment import degrade
from image_gender_classifier.train.gender.targets import Targets
from image_gender_classifier.train.gender.views import ViewBatches, Views

_ORDER, _DEGRADING = 2, 3  # stream numbers; random draws of different kinds must not repeat
_FEWEST = 8  # in the last batch; batch statistics of fewer crops are too noisy


def steps(count: int, batch: int) -> int:
    """Gives the number of batches per epoch; leaves out a last batch of fewer than 8 crops."""
    return max((count + batch - min(_FEWEST, batch)) // batch, 1)


class EpochBatches(ViewBatches):
    """One view of each training crop, shuffled and degraded for an epoch.

    Order and degradations depend only on the seed and the epoch, which makes runs resumable.
    """

    def __init__(
        self,
        views: Views,
        positions: Sequence[int],
        targets: Targets,
        *,
        epoch: int,
        number: int,
        size: int,
        batch: int,
    ) -> None:
        """Takes the targets in the order of the positions, and the number of the view."""
        order = np.random.default_rng((_ORDER, views.seed, epoch)).permutation(len(positions))
        super().__init__(views, np.asarray(positions)[order], number, size, batch)
        self._targets = targets
        self._order = order
        self._epoch = epoch

    def __len__(self) -> int:
        return steps(len(self._positions), self._batch)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        part = self._part(index)
        return self._pixels(part), *self._targets.of(self._order[part])

    def _drawn(self, position: int) -> Pixels:
        random = np.random.default_rng((_DEGRADING, self._views.seed, self._epoch, position))
        return degrade(super()._drawn(position), random)
