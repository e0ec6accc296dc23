"""Targets that are a mean of labels and of the predictions of trained classifiers."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt

from image_gender_classifier.train.gender.targets import GENDER, Targets
from image_gender_classifier.train.gender.views import ViewBatches, Views

_BATCH = 64


def predict_view(
    classifiers: Sequence[keras.Model], views: Views, positions: Sequence[int], number: int
) -> npt.NDArray[np.float32]:
    """Predicts the gender in one view of each crop with several classifiers.

    Args:
        classifiers: At least one; each maps pixels to the gender logit only, at its own input size.
        views: Source of the pixels.
        positions: Indices of the crops.
        number: Number of the view.

    Returns:
        The probability of "female" by the mean of the logits, float32, N x 1.
    """
    logits = np.mean(
        [
            classifier.predict(
                ViewBatches(views, positions, number, int(classifier.input_shape[1]), _BATCH),
                verbose=0,
            )
            for classifier in classifiers
        ],
        axis=0,
    )
    predicted: npt.NDArray[np.float32] = np.exp(-np.logaddexp(0, -logits)).astype(np.float32)
    return predicted


def mix_with_predictions(
    labels: Targets, predicted: npt.NDArray[np.float32], label_weight: float
) -> Targets:
    """Returns targets whose gender is the weighted mean of labels and predictions.

    Args:
        labels: Targets of N samples.
        predicted: Predicted probability of "female", float32, N x 1.
        label_weight: Weight of the labels, 0 to 1; that of the predictions is 1 minus this.

    Returns:
        The targets; auxiliary heads are those of `labels`.
    """
    gender = label_weight * labels.probabilities[GENDER] + (1 - label_weight) * predicted
    return Targets({**labels.probabilities, GENDER: gender.astype(np.float32)}, labels.weights)
