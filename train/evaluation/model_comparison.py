"""Compares the predictions of two models for the same labelled pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.evaluation.comparison import Comparison, format_comparison
from image_gender_classifier.train.evaluation.differences_page import DifferingPicture
from image_gender_classifier.train.evaluation.evaluation_report import sort_labels
from image_gender_classifier.train.evaluation.metrics import (
    GENDERS,
    Predictions,
    add_race_and_gender,
)


def format_models(one: Predictions, other: Predictions, name: str, other_name: str) -> str:
    """Formats the accuracy of two models in each group, and McNemar's test.

    Args:
        one: Predictions of the first model.
        other: Predictions of the second model for the same pictures, in the same order.
        name: Name of the first model.
        other_name: Name of the second model.
    """
    if not len(one.gender):
        return f"{other_name}: no picture to compare on"
    groups = {str(gender): one.gender == gender for gender in GENDERS}
    for kind, labels in add_race_and_gender(one).items():
        found = [str(label) for label in np.unique(labels) if label]
        for label in sort_labels(kind, found):
            groups[f"{kind} {label}"] = labels == label
    result = Comparison(groups, other.predicted == other.gender, one.predicted == one.gender)
    return format_comparison(result, other_name, name)


def find_differences(
    samples: Sequence[Sample], one: Predictions, other: Predictions
) -> list[DifferingPicture]:
    """Returns the pictures for which two models predict different genders.

    Args:
        samples: The samples with a prediction.
        one: Predictions of the first model for these samples.
        other: Predictions of the second model for these samples.
    """
    return [
        DifferingPicture(
            samples[place],
            f"{one.predicted[place]}, {one.confidence[place]:.3f}",
            f"{other.predicted[place]}, {other.confidence[place]:.3f}",
        )
        for place in map(int, np.flatnonzero(one.predicted != other.predicted))
    ]
