"""Targets that are a mean of labels and of the predictions of trained classifiers."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt

from image_gender_classifier.train.common.heads import GENDER
from image_gender_classifier.train.gender.distillation import BATCH
from image_gender_classifier.train.gender.targets import (
    Targets,
    make_distillation_targets,
    mix_targets,
)
from image_gender_classifier.train.gender.views import ViewBatches, Views


def make_view_targets(
    labels: Targets,
    classifiers: Sequence[keras.Model],
    views: Views,
    positions: Sequence[int],
    number: int,
    label_weight: float,
) -> Targets:
    """Computes the targets of one view of each crop, from labels and predictions.

    Args:
        labels: Targets of N samples without mixup, in the order of `positions` and of
            `views.partners`.
        classifiers: Trained classifiers; each maps pixels to the gender logit only, at its own
            input size. At least one if `label_weight` is below 1.
        views: Source of the pixels.
        positions: Indices of the N crops.
        number: Number of the view.
        label_weight: Weight of the labels, 0 to 1; that of the probability of "female" by the mean
            of the classifiers' logits is 1 minus this.

    Returns:
        The targets of the views; the labels of mixup samples are mixed as well.
    """
    mixed = mix_targets(labels, *views.sample_mixups(positions, number))
    if label_weight == 1:
        return mixed
    logits = [_predict_view(classifier, views, positions, number) for classifier in classifiers]
    predicted = make_distillation_targets({GENDER: np.mean(logits, axis=0)}, 0.0)
    gender = (
        label_weight * mixed.probabilities[GENDER]
        + (1 - label_weight) * predicted.probabilities[GENDER]
    )
    return Targets({**mixed.probabilities, GENDER: gender.astype(np.float32)}, mixed.weights)


def _predict_view(
    classifier: keras.Model, views: Views, positions: Sequence[int], number: int
) -> npt.NDArray[np.float32]:
    """Returns the logits of a classifier for one view of each crop (float32, N x 1)."""
    size = int(classifier.input_shape[1])
    pixels = ViewBatches(views, positions, number, size, BATCH)
    logits: npt.NDArray[np.float32] = classifier.predict(pixels, verbose=0)
    return logits
