"""A view is known by seed, number and position, so that teacher and student see the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("keras")

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.gender.views import ViewBatches, Views

PARTNERS = np.arange(0, 40)


def views_of(crops: Pixels, seed: int = 1, mixed: float = 0.5) -> Views:
    return Views(crops, PARTNERS, seed, mixed)


def plain(*levels: int) -> Pixels:
    """Plain crops, which no move changes: what a view shows tells whose crops it is made of."""
    return np.stack([np.full((40, 40, 3), level, np.uint8) for level in levels])


def test_a_view_depends_only_on_seed_number_and_position(tiny_crops: CropSet) -> None:
    def drawn(order: list[tuple[int, int, int]]) -> dict[tuple[int, int, int], bytes]:
        return {
            (seed, number, position): views_of(tiny_crops.crops, seed)
            .render(position, number, 32)
            .tobytes()
            for seed, number, position in order
        }

    every = [(seed, number, at) for seed in (1, 2) for number in (0, 1, 7) for at in (0, 3, 59)]
    views = drawn(every)
    assert len(set(views.values())) == len(every)
    assert drawn(every[::-1]) == views


@pytest.mark.parametrize("size", [8, 32, 40])
def test_a_view_is_rgb_of_the_requested_size(size: int, tiny_crops: CropSet) -> None:
    for number in range(20):
        view = views_of(tiny_crops.crops).render(5, number, size)
        assert view.shape == (size, size, 3)
        assert view.dtype == np.uint8


def test_a_view_is_the_same_at_every_size() -> None:
    """Of smooth crops, mixed or not: a large view shrunk is the small one."""
    import cv2

    coarse = np.random.default_rng(0).integers(0, 256, (40, 5, 5, 3), np.uint8)
    crops = np.stack([cv2.resize(crop, (96, 96), interpolation=cv2.INTER_CUBIC) for crop in coarse])
    views = views_of(crops)
    for number in range(50):
        shrunk = cv2.resize(views.render(7, number, 80), (40, 40), interpolation=cv2.INTER_AREA)
        assert np.abs(shrunk.astype(int) - views.render(7, number, 40)).mean() < 2.5


@pytest.mark.parametrize("mixed", [0.0, 0.3, 1.0])
def test_the_requested_fraction_of_views_is_mixed(mixed: float) -> None:
    """A black crop with a little white in it is a mixture."""
    crops = plain(*[255] * 40, 0)
    views = views_of(crops, mixed=mixed)
    mixtures = sum(bool(views.render(40, number, 16).any()) for number in range(600))
    assert mixtures / 600 == pytest.approx(mixed, abs=0.06)


def test_the_weight_of_the_partner_is_at_most_half() -> None:
    crops = plain(*[200] * 40, 0)
    levels = [int(views_of(crops, mixed=1).render(40, number, 16).max()) for number in range(400)]
    assert max(levels) <= 100
    assert np.mean(levels) == pytest.approx(50, abs=5)


def test_mixup_partner_and_weight_are_those_in_the_view() -> None:
    """How bright a view is tells what is mixed into it."""
    crops = plain(*[0] * 39, 200, 100)
    views = views_of(crops, mixed=0.5)
    for number in range(300):
        mixture = views.sample_mixup(40, number)
        other = 200 if mixture.partner == 39 else 0
        level = (1 - mixture.weight) * 100 + mixture.weight * other
        assert views.render(40, number, 16).max() == pytest.approx(level, abs=1)


def test_only_partners_are_mixed_into_others() -> None:
    """Crops that are no partners are white; no view of a black one shows any of it."""
    crops = plain(*[0] * 40, *[255] * 20)
    views = views_of(crops, mixed=1)
    assert not any(views.render(3, number, 16).any() for number in range(400))


def test_all_partners_are_equally_frequent() -> None:
    """Each partner is of a level of its own; mixed into black they keep the order of levels."""
    crops = plain(*range(0, 200, 5))
    partners = np.array([0, 13, 39])
    views = replace(views_of(crops, mixed=1), partners=partners)
    shown = [int(views.render(0, number, 16).max()) for number in range(300)]
    assert sum(level == 0 for level in shown) == pytest.approx(100, abs=30)
    assert sum(level > 65 // 2 for level in shown) == pytest.approx(67, abs=30)


def test_batches_contain_the_views_in_order(tiny_crops: CropSet) -> None:
    views, positions = views_of(tiny_crops.crops), [9, 3, 50, 7, 1]
    batches = ViewBatches(views, positions, number=4, size=32, batch=2)
    assert len(batches) == 3
    pixels = np.concatenate([batches[index][0] for index in range(3)])
    assert pixels.dtype == np.float32
    assert np.array_equal(pixels, [views.render(position, 4, 32) for position in positions])
