"""An epoch's batches: each sample once, in an order and augmentation known by seed and epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("keras")

from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.gender.batches import EpochBatches
from image_gender_classifier.train.gender.targets import Targets, make_label_targets
from image_gender_classifier.train.gender.views import Views


def numbered(count: int) -> Targets:
    """Targets that tell their places."""
    numbers = np.arange(count, dtype=np.float32)
    return Targets({"number": numbers[:, None]}, {"number": numbers + 100})


def epoch_batches(
    crop_set: CropSet,
    positions: Sequence[int] = range(60),
    targets: Targets | None = None,
    seed: int = 1,
    epoch: int = 0,
    number: int | None = None,
    hidden_hair: float = 0.0,
) -> EpochBatches:
    views = Views(crop_set.crops, np.array(positions), seed, mixup_fraction=0)
    return EpochBatches(
        views,
        positions,
        targets or numbered(len(positions)),
        epoch=epoch,
        number=epoch if number is None else number,
        size=32,
        batch=16,
        hidden_hair=hidden_hair,
    )


def places(batches: EpochBatches, index: int) -> list[int]:
    """The places of a batch's samples among all positions."""
    return [int(place) for place in batches[index][1]["number"][:, 0]]


def order_of(batches: EpochBatches) -> list[int]:
    return [place for index in range(len(batches)) for place in places(batches, index)]


def test_an_epoch_has_each_sample_once(tiny_crops: CropSet) -> None:
    batches = epoch_batches(tiny_crops, range(3, 50))
    assert len(batches) == 3
    assert [len(batches[index][0]) for index in range(3)] == [16, 16, 15]
    order = order_of(batches)
    assert sorted(order) == list(range(47))
    assert order != list(range(47))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(32, [16, 16]), (39, [16, 16]), (40, [16, 16, 8]), (5, [5]), (1, [1])],
)
def test_a_small_last_batch_is_dropped(
    tiny_crops: CropSet, count: int, expected: list[int]
) -> None:
    batches = epoch_batches(tiny_crops, range(count))
    assert [len(batches[index][0]) for index in range(len(batches))] == expected


def test_each_epoch_and_seed_has_a_different_order(tiny_crops: CropSet) -> None:
    def order(seed: int, epoch: int) -> tuple[int, ...]:
        return tuple(order_of(epoch_batches(tiny_crops, seed=seed, epoch=epoch)))

    assert order(1, 0) == order(1, 0)
    assert len({order(seed, epoch) for seed in (1, 2) for epoch in (0, 1, 2)}) == 6


def test_pixels_depend_only_on_seed_and_epoch(tiny_crops: CropSet) -> None:
    def pixels(epoch: int, seed: int, indices: tuple[int, ...]) -> dict[int, bytes]:
        batches = epoch_batches(tiny_crops, seed=seed, epoch=epoch)
        return {index: batches[index][0].tobytes() for index in indices}

    assert pixels(1, 1, (0, 1, 2)) == pixels(1, 1, (2, 0, 1))
    assert pixels(1, 1, (0,)) != pixels(2, 1, (0,)) != pixels(1, 2, (0,))


def test_a_sample_differs_in_every_epoch(tiny_crops: CropSet) -> None:
    views = {epoch_batches(tiny_crops, [7], epoch=epoch)[0][0].tobytes() for epoch in range(8)}
    assert len(views) == 8


def test_the_same_view_is_degraded_differently_in_every_epoch(tiny_crops: CropSet) -> None:
    """What a student is shown of one view: its place in the frame stays, its light changes."""
    views = {
        epoch_batches(tiny_crops, [7], epoch=epoch, number=3)[0][0].tobytes() for epoch in range(8)
    }
    assert len(views) == 8


def test_a_batch_shows_the_view_of_its_number(tiny_crops: CropSet) -> None:
    """Nearly: light and quality change. Another number's view is further away."""
    coarse = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 3), np.uint8)
    crops = CropSet(tiny_crops.samples, coarse.repeat(10, axis=1).repeat(10, axis=2), (), ())
    views = Views(crops.crops, np.arange(60), 1, mixup_fraction=0)
    nearer = 0
    batches = epoch_batches(crops, epoch=9, number=2)
    pixels = np.concatenate([batches[index][0] for index in range(len(batches))])
    for shown, place in zip(pixels, order_of(batches), strict=True):
        right, wrong = (np.abs(shown - views.render(place, number, 32)).mean() for number in (2, 9))
        nearer += bool(right < wrong)
    assert nearer > 50


def test_pixels_match_their_targets(tiny_crops: CropSet) -> None:
    """Bright is female in these crops, and stays so through shuffling and augmentation."""
    positions = range(7, 55)
    samples = [tiny_crops.samples[position] for position in positions]
    batches = epoch_batches(tiny_crops, positions, make_label_targets(samples, {}, 0), epoch=4)
    for index in range(len(batches)):
        pixels, wanted, weights = batches[index]
        assert (pixels.shape[1:], pixels.dtype) == ((32, 32, 3), np.float32)
        assert pixels.min() >= 0
        assert 1 < pixels.max() <= 255
        assert np.array_equal(pixels.mean(axis=(1, 2, 3)) > 120, wanted["gender"][:, 0] == 1)
        assert len(weights["gender"]) == len(pixels)


def test_weights_match_their_targets(tiny_crops: CropSet) -> None:
    batches = epoch_batches(tiny_crops)
    for index in range(len(batches)):
        _, wanted, weights = batches[index]
        assert np.array_equal(wanted["number"][:, 0] + 100, weights["number"])


def test_hair_is_hidden_in_a_fraction_of_the_crops(tiny_crops: CropSet) -> None:
    """The others, their order and their targets are those without hiding."""
    plain, hidden = (epoch_batches(tiny_crops, hidden_hair=fraction) for fraction in (0.0, 0.4))
    assert order_of(plain) == order_of(hidden)
    changed = np.concatenate(
        [(plain[index][0] != hidden[index][0]).any(axis=(1, 2, 3)) for index in range(len(plain))]
    )
    assert 0.2 < changed.mean() < 0.6
    again = epoch_batches(tiny_crops, hidden_hair=0.4)
    assert all(np.array_equal(hidden[index][0], again[index][0]) for index in range(len(plain)))
