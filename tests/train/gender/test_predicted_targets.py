"""Targets from labels and the predictions of several classifiers, with and without mixup."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier.train.common.crops import CropSet
from image_gender_classifier.train.gender.predicted_targets import make_view_targets
from image_gender_classifier.train.gender.targets import collect_group_classes, make_label_targets
from image_gender_classifier.train.gender.views import Views

pytestmark = pytest.mark.usefixtures("eagerly")


def make_classifier(size: int, slope: float) -> Any:
    """Its logit is `slope` times the mean brightness, from 0 to 1."""
    pixels = keras.Input((size, size, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(pixels)
    mean = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(pixels, mean(pooled))
    mean.set_weights([np.full((3, 1), slope / 3 / 255, np.float32)])
    return model


@pytest.mark.parametrize("mixed", [0.0, 1.0])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_targets_are_the_weighted_mean_of_labels_and_predictions(
    tiny_crops: CropSet, mixed: float, weight: float
) -> None:
    positions = list(range(10, 60))
    views = Views(tiny_crops.crops, np.array(positions), seed=4, mixup_fraction=mixed)
    classes = collect_group_classes(tiny_crops.samples)
    labels = make_label_targets([tiny_crops.samples[at] for at in positions], classes, 0.2, 0.1)
    classifiers = [make_classifier(32, 4.0), make_classifier(40, -1.0)]
    made = make_view_targets(labels, classifiers, views, positions, 3, weight)

    means = [
        np.array([views.render(at, 3, size).mean() / 255 for at in positions]) for size in (32, 40)
    ]
    predicted = 1 / (1 + np.exp(-(4 * means[0] - means[1]) / 2))
    pairs = [views.sample_mixup(at, 3) for at in positions]
    assert all((pair.weight > 0) == bool(mixed) for pair in pairs)
    for head, expected in labels.probabilities.items():
        mixture = np.stack([
            (1 - pair.weight) * one + pair.weight * expected[pair.partner]
            for one, pair in zip(expected, pairs, strict=True)
        ])  # fmt: skip
        if head == "gender":
            mixture = weight * mixture + (1 - weight) * predicted[:, None]
        assert made.probabilities[head] == pytest.approx(mixture, abs=1e-5)
        assert made.probabilities[head].dtype == np.float32


def test_labels_alone_need_no_classifier(tiny_crops: CropSet) -> None:
    views = Views(tiny_crops.crops, np.arange(60), seed=4, mixup_fraction=0.5)
    labels = make_label_targets(tiny_crops.samples, {}, 0.0)
    made = make_view_targets(labels, [], views, list(range(60)), 0, 1.0)
    assert made.probabilities["gender"].shape == (60, 1)
