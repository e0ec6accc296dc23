"""Training batches of one epoch: augmented crops with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common.augment import degrade_randomly, hide_hair_randomly
from image_gender_classifier.train.gender.targets import Targets
from image_gender_classifier.train.gender.views import ViewBatches, Views

# Numbers of random streams, one for each use.
_ORDER_STREAM, _DEGRADE_STREAM, _HIDE_STREAM = 2, 3, 7
_MIN_LAST_BATCH = 8  # crops; batch statistics of fewer are too noisy


def count_steps(count: int, batch: int) -> int:
    """Returns the number of batches per epoch.

    An incomplete last batch of fewer than 8 crops is dropped, unless it is the only batch.

    Args:
        count: Number of crops.
        batch: Crops per batch.
    """
    return max((count + batch - min(_MIN_LAST_BATCH, batch)) // batch, 1)


class EpochBatches(ViewBatches):
    """Keras dataset of one epoch: one view of each training crop, shuffled and degraded.

    A batch is a tuple: pixels (float32 RGB, B x S x S x 3, 0 to 255), targets by head, and sample
    weights by head. The batches of an epoch do not depend on earlier epochs, so that a run can be
    resumed. An incomplete last batch can be dropped (see `count_steps`).
    """

    def __init__(  # noqa: PLR0913  (keyword arguments)
        self,
        views: Views,
        positions: Sequence[int],
        targets: Targets,
        *,
        epoch: int,
        number: int,
        size: int,
        batch: int,
        hidden_hair: float = 0.0,
    ) -> None:
        """Configures the dataset.

        Args:
            views: Source of the pixels.
            positions: Indices of the training crops.
            targets: Targets in the order of `positions`.
            epoch: Number of the epoch (0-based).
            number: Number of the view (see `Views`).
            size: Side of the network's input in pixels (S).
            batch: Crops per batch (B).
            hidden_hair: Fraction of the crops whose hair is hidden, 0 to 1.
        """
        order = np.random.default_rng((_ORDER_STREAM, views.seed, epoch)).permutation(
            len(positions)
        )
        super().__init__(views, np.asarray(positions)[order], number, size, batch)
        self._targets = targets
        self._order = order
        self._epoch = epoch
        self._hidden_hair = hidden_hair

    def __len__(self) -> int:
        return count_steps(len(self._positions), self._batch)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        part = self._part(index)
        return self._pixels(part), *self._targets.select(self._order[part])

    def _make_view(self, position: int) -> Pixels:
        pixels = self._hide_hair(super()._make_view(position), position)
        return degrade_randomly(pixels, self._make_random(_DEGRADE_STREAM, position))

    def _hide_hair(self, pixels: Pixels, position: int) -> Pixels:
        if not self._hidden_hair:
            return pixels
        random = self._make_random(_HIDE_STREAM, position)
        if random.random() >= self._hidden_hair:
            return pixels
        return hide_hair_randomly(
            pixels, lambda: self._views.render_other(random, len(pixels)), random
        )

    def _make_random(self, stream: int, position: int) -> np.random.Generator:
        return np.random.default_rng((stream, self._views.seed, self._epoch, position))
