"""An epoch's batches: each sample once, in an order and augmentation known by seed and epoch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")

from image_gender_classifier.train.batches import EpochBatches, targets, vocabulary
from image_gender_classifier.train.crops import CropSet
from image_gender_classifier.train.datasets.sample import BinaryGender, Sample
from image_gender_classifier.train.recipe import Recipe

WORDS = {"race": ["Black", "Indian", "White"]}


def sample(gender: BinaryGender, **groups: str) -> Sample:
    return Sample("a", Path("a"), gender, groups)


def numbered(tiny_crops: CropSet) -> CropSet:
    """Plain crops that can be told apart after augmentation has had them: the index is a label."""
    samples = [
        replace(sample, groups={"number": f"{number:02}"})
        for number, sample in enumerate(tiny_crops.samples)
    ]
    return replace(tiny_crops, samples=tuple(samples))


def order_of(batches: EpochBatches) -> list[int]:
    return [int(number) for index in range(len(batches)) for number in batches[index][1]["number"]]


def test_an_epoch_has_each_sample_once(tiny_crops: CropSet, tiny_recipe: Recipe) -> None:
    crop_set = numbered(tiny_crops)
    words, positions = vocabulary(crop_set.samples), range(3, 50)
    batches = EpochBatches(crop_set, positions, words, tiny_recipe, 0)
    assert len(batches) == 3
    assert [len(batches[index][0]) for index in range(3)] == [16, 16, 15]
    order = order_of(batches)
    assert sorted(order) == list(positions)
    assert order != list(positions)


def test_each_epoch_and_seed_has_an_order_of_its_own(
    tiny_crops: CropSet, tiny_recipe: Recipe
) -> None:
    crop_set = numbered(tiny_crops)
    words = vocabulary(crop_set.samples)

    def order(seed: int, epoch: int) -> list[int]:
        recipe = replace(tiny_recipe, seed=seed)
        return order_of(EpochBatches(crop_set, range(60), words, recipe, epoch))

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}) == 6


def test_pixels_depend_on_seed_and_epoch_alone(tiny_crops: CropSet, tiny_recipe: Recipe) -> None:
    def pixels(epoch: int, seed: int, indices: tuple[int, ...]) -> dict[int, bytes]:
        recipe = replace(tiny_recipe, seed=seed)
        batches = EpochBatches(tiny_crops, range(40), {}, recipe, epoch)
        return {index: batches[index][0].tobytes() for index in indices}

    assert pixels(1, 1, (0, 1, 2)) == pixels(1, 1, (2, 0, 1))
    assert pixels(1, 1, (0,)) != pixels(2, 1, (0,)) != pixels(1, 2, (0,))


def test_a_sample_looks_different_in_every_epoch(tiny_crops: CropSet, tiny_recipe: Recipe) -> None:
    looks = {
        EpochBatches(tiny_crops, [7], {}, tiny_recipe, epoch)[0][0].tobytes() for epoch in range(8)
    }
    assert len(looks) == 8


def test_pixels_go_with_their_labels(tiny_crops: CropSet, tiny_recipe: Recipe) -> None:
    """Bright is female in these crops, and stays so through shuffling and augmentation."""
    batches = EpochBatches(tiny_crops, range(60), {}, tiny_recipe, 4)
    for index in range(len(batches)):
        pixels, wanted, weights = batches[index]
        assert (pixels.shape[1:], pixels.dtype) == ((32, 32, 3), np.float32)
        assert pixels.min() >= 0
        assert 1 < pixels.max() <= 255
        assert np.array_equal(pixels.mean(axis=(1, 2, 3)) > 120, wanted["gender"][:, 0] == 1)
        assert len(weights["gender"]) == len(pixels)


def test_female_is_one_and_in_a_column() -> None:
    wanted, weights = targets([sample("female"), sample("male")], {}, 0.2)
    assert wanted["gender"].tolist() == [[1.0], [0.0]]
    assert weights["gender"].tolist() == [1.0, 1.0]
    assert set(wanted) == set(weights) == {"gender"}


def test_a_missing_label_weighs_nothing() -> None:
    samples = [sample("female", race="White"), sample("male"), sample("male", race="Black")]
    wanted, weights = targets(samples, WORDS, 0.2)
    assert wanted["race"].tolist() == [2, 0, 0]
    assert weights["race"].tolist() == pytest.approx([0.2, 0.0, 0.2])
    assert weights["gender"].tolist() == [1.0, 1.0, 1.0]


def test_a_label_outside_the_vocabulary_weighs_nothing() -> None:
    wanted, weights = targets([sample("male", race="Martian")], WORDS, 0.2)
    assert (wanted["race"].tolist(), weights["race"].tolist()) == ([0], [0.0])


def test_the_vocabulary_is_sorted_and_leaves_out_single_classes() -> None:
    samples = [
        sample("male", race="White", age="3-9", set="one"),
        sample("female", race="Black", set="one"),
        sample("female", age="0-2"),
    ]
    words = vocabulary(samples)
    assert words == {"age": ["0-2", "3-9"], "race": ["Black", "White"]}
    assert list(words) == ["age", "race"]
    assert vocabulary(samples[::-1]) == words
