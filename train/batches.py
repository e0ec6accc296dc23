"""Batches of augmented crops with their targets, for Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from image_gender_classifier.faces import Pixels
from image_gender_classifier.train.augment import augment
from image_gender_classifier.train.crops import CropSet
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.network import GENDER
from image_gender_classifier.train.recipe import Recipe

Vocabulary = Mapping[str, Sequence[str]]
"""The classes of each auxiliary head, in the order of its logits."""


def vocabulary(samples: Sequence[Sample]) -> dict[str, list[str]]:
    """Collects the group labels that occur: a head for each kind with at least two classes."""
    found: dict[str, set[str]] = {}
    for sample in samples:
        for kind, label in sample.groups.items():
            found.setdefault(kind, set()).add(label)
    return {kind: sorted(labels) for kind, labels in sorted(found.items()) if len(labels) > 1}


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """The training part in one epoch's order and augmentation.

    Both depend on the recipe's seed and the epoch's number alone.
    """

    def __init__(
        self,
        crop_set: CropSet,
        positions: Sequence[int],
        words: Vocabulary,
        recipe: Recipe,
        epoch: int,
    ) -> None:
        super().__init__(workers=2, max_queue_size=16)
        order = np.random.default_rng((recipe.seed, epoch)).permutation(len(positions))
        self._positions = np.asarray(positions)[order]
        self._crops = crop_set.crops
        self._recipe = recipe
        self._epoch = epoch
        chosen = [crop_set.samples[position] for position in self._positions]
        self._targets, self._weights = targets(chosen, words, recipe.group_weight)

    def __len__(self) -> int:
        return (len(self._positions) + self._recipe.batch - 1) // self._recipe.batch

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        part = slice(index * self._recipe.batch, (index + 1) * self._recipe.batch)
        crops = [self._augmented(position) for position in self._positions[part]]
        return (
            np.stack(crops).astype(np.float32),
            {name: values[part] for name, values in self._targets.items()},
            {name: values[part] for name, values in self._weights.items()},
        )

    def _augmented(self, position: int) -> Pixels:
        random = np.random.default_rng((self._recipe.seed, self._epoch, position))
        return augment(self._crops[position], self._recipe.input_size, random)


def targets(
    samples: Sequence[Sample], words: Vocabulary, group_weight: float
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[Any]]]:
    """Turns labels into what the losses take.

    Returns:
        Targets and sample weights by head: gender as N x 1 (1 is female), a class number for each
        auxiliary head; a sample without that label has the weight 0.
    """
    female = [[float(sample.gender == "female")] for sample in samples]
    wanted: dict[str, npt.NDArray[Any]] = {GENDER: np.array(female, np.float32)}
    weights: dict[str, npt.NDArray[Any]] = {GENDER: np.ones(len(samples), np.float32)}
    for kind, labels in words.items():
        number = {label: index for index, label in enumerate(labels)}
        classes = [number.get(sample.groups.get(kind, ""), -1) for sample in samples]
        known = np.array(classes) >= 0
        wanted[kind] = np.maximum(classes, 0).astype(np.int32)
        weights[kind] = known.astype(np.float32) * group_weight
    return wanted, weights
