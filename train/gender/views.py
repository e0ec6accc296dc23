"""Views: numbered, reproducible augmentations of crops.

The random transformation of a view depends only on the seed, the view's number and the crop's
index, so that teacher and student see the same pixels, even in different runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import keras
import numpy as np
import numpy.typing as npt

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common.augment import transform_randomly

_VIEW_STREAM, _MIXUP_STREAM = 1, 6  # random stream numbers; one for each use


@dataclass(frozen=True, slots=True)
class Mixup:
    """The second crop of a mixup sample.

    Attributes:
        partner: Index of the second crop in `Views.partners`.
        weight: Weight of the second crop, 0 (no mixup) to 0.5.
    """

    partner: int
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Generates numbered views of crops.

    Attributes:
        crops: uint8 RGB, N x S x S x 3.
        partners: Indices of the crops that can be the second crop of a mixup sample, or surround a
            face whose hair is hidden.
        seed: Seed of the views.
        mixup_fraction: Fraction of the views that are mixup samples, 0 to 1.
    """

    crops: npt.NDArray[np.uint8]
    partners: npt.NDArray[np.int64]
    seed: int
    mixup_fraction: float

    def render(self, position: int, number: int, size: int) -> Pixels:
        """Generates a view of a crop: a random transformation and, for some views, mixup.

        Args:
            position: Index of the crop.
            number: Number of the view.
            size: Side of the view in pixels, at most S.

        Returns:
            uint8 RGB, size x size x 3.
        """
        random = np.random.default_rng((_VIEW_STREAM, self.seed, number, position))
        pixels = transform_randomly(self.crops[position], size, random)
        mixup = self.sample_mixup(position, number)
        if not mixup.weight:
            return pixels
        other = transform_randomly(self.crops[self.partners[mixup.partner]], size, random)
        return cast(Pixels, cv2.addWeighted(pixels, 1 - mixup.weight, other, mixup.weight, 0))

    def render_other(self, random: np.random.Generator, size: int) -> Pixels:
        """Generates a random transformation of a random crop among `partners`.

        Args:
            random: The random generator.
            size: Side of the result in pixels, at most S.

        Returns:
            uint8 RGB, size x size x 3.
        """
        partner = self.partners[random.integers(len(self.partners))]
        return transform_randomly(self.crops[partner], size, random)

    def sample_mixup(self, position: int, number: int) -> Mixup:
        """Samples the mixup partner and its weight for a view of a crop; deterministic.

        See Zhang et al., "mixup: Beyond Empirical Risk Minimization" (ICLR 2018).

        Args:
            position: Index of the crop.
            number: Number of the view.

        Returns:
            The partner; its weight is 0 if the view is not a mixup sample.
        """
        random = np.random.default_rng((_MIXUP_STREAM, self.seed, number, position))
        weight = random.uniform(0, 0.5) if random.random() < self.mixup_fraction else 0.0
        return Mixup(int(random.integers(len(self.partners))), weight)

    def sample_mixups(
        self, positions: Sequence[int], number: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Samples the mixup partners of a view of several crops.

        Args:
            positions: Indices of the N crops.
            number: Number of the view.

        Returns:
            Indices of the second crops in `partners` (int64, N), and their weights (float32, N).
        """
        mixups = [self.sample_mixup(position, number) for position in positions]
        return (
            np.array([mixup.partner for mixup in mixups], np.int64),
            np.array([mixup.weight for mixup in mixups], np.float32),
        )


class ViewBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Keras dataset of one augmented view of each crop, in the order of `positions`.

    A batch is a 1-tuple of pixels (float32 RGB, B x S x S x 3, 0 to 255).
    """

    def __init__(
        self, views: Views, positions: npt.ArrayLike, number: int, size: int, batch: int
    ) -> None:
        """Configures the dataset.

        Args:
            views: Source of the pixels.
            positions: Indices of the crops.
            number: Number of the view.
            size: Side of the views in pixels (S).
            batch: Crops per batch (B).
        """
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
        return np.stack(
            [self._make_view(position) for position in self._positions[part]], dtype="f4"
        )

    def _make_view(self, position: int) -> Pixels:
        return self._views.render(position, self._number, self._size)
