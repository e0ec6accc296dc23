"""An epoch's batches of augmented crops with their targets, for Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.gender.augment import degrade
from image_gender_classifier.train.gender.targets import Targets
from image_gender_classifier.train.gender.views import ViewBatches, Views

_ORDER, _DEGRADING = 2, 3  # keep these draws apart from others of the same seed
_FEWEST = 8  # in the last batch: the statistics of fewer crops would be learnt as any batch's


def steps(count: int, batch: int) -> int:
    """Gives the number of an epoch's batches; some crops too few for another wait for the next."""
    return max((count + batch - min(_FEWEST, batch)) // batch, 1)


class EpochBatches(ViewBatches):
    """One view of each crop to learn from, in an epoch's order and with its degradations.

    Both depend on the seed and the epoch's number alone, so that a resumed run sees what an
    uninterrupted one does.
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
        """Takes the targets of the positions, one by one, and the number of their view."""
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
