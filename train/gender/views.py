"""Views: numbered augmented versions of crops.

A view depends only on the seed, its number and the crop's position, so teacher and student see the
same pixels, also in different runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import keras
import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.gender.augment import move

_VIEW, _MIXTURE = 1, 6  # stream numbers; random draws of different kinds must not repeat


@dataclass(frozen=True, slots=True)
class Mixture:
    """The second crop of a mixup sample.

    Attributes:
        place: Index of the second crop among the partners.
        share: Share of the second crop, 0 (no mixup) to 0.5.
    """

    place: int
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """All views of the training crops.

    Attributes:
        crops: uint8 RGB, N x S x S x 3.
        partners: Positions of the crops that can be the second crop of mixup.
        seed: Seed of the views.
        mixed: Share of mixup views.
    """

    crops: npt.NDArray[np.uint8]
    partners: npt.NDArray[np.int64]
    seed: int
    mixed: float

    def draw(self, position: int, number: int, size: int) -> Pixels:
        """Draws a view (uint8 RGB, size x size x 3) of the crop at a position."""
        random = np.random.default_rng((_VIEW, self.seed, number, position))
        pixels = move(self.crops[position], size, random)
        mixture = self.mixture(position, number)
        if not mixture.share:
            return pixels
        other = move(self.crops[self.partners[mixture.place]], size, random)
        return cast(Pixels, cv2.addWeighted(pixels, 1 - mixture.share, other, mixture.share, 0))

    def mixture(self, position: int, number: int) -> Mixture:
        """Draws the mixup partner for a view of the crop at a position.

        Zhang et al., "mixup: Beyond Empirical Risk Minimization" (ICLR 2018).
        """
        random = np.random.default_rng((_MIXTURE, self.seed, number, position))
        share = random.uniform(0, 0.5) if random.random() < self.mixed else 0.0
        return Mixture(int(random.integers(len(self.partners))), share)


class ViewBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of one view of each crop, in order."""

    def __init__(
        self, views: Views, positions: npt.ArrayLike, number: int, size: int, batch: int
    ) -> None:
        super().__init__(workers=2, max_queue_size=16)
        self._views = views
        self._positions = np.asarray(positions)
        self._number = number
        self._size = size
        self._batch = batch

    def __len__(self) -> int:
        return (len(self._positions) + self._batch - 1) // self._batch

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return (self._pixels(self._part(index)),)

    def _part(self, index: int) -> slice:
        return slice(index * self._batch, (index + 1) * self._batch)

    def _pixels(self, part: slice) -> npt.NDArray[np.float32]:
        return np.stack([self._drawn(position) for position in self._positions[part]], dtype="f4")

    def _drawn(self, position: int) -> Pixels:
        return self._views.draw(position, self._number, self._size)
