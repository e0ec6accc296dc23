"""Compares the predictions of two models for the same labelled pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.evaluation.comparison import Comparison, format_comparison
from image_gender_classifier.train.evaluation.differences_page import DifferingPicture
from image_gender_classifier.train.evaluation.evaluation_report import sort_labels
from image_gender_classifier.train.evaluation.metrics import (
    GENDERS,
    Labels,
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
    samples: Sequence[Sample], predictions: Mapping[str, Predictions]
) -> list[DifferingPicture]:
    """Returns the pictures on which two models differ; with one model, on which the label differs.

    Args:
        samples: The samples with a prediction.
        predictions: Predictions of one or two models for these samples, by name of the model.
    """
    answers = [each.predicted for each in predictions.values()]
    first, second = answers if len(answers) > 1 else (answers[0], _genders(samples))
    return [
        DifferingPicture(samples[place], _describe(samples[place], place, predictions))
        for place in map(int, np.flatnonzero(first != second))
    ]


def _genders(samples: Sequence[Sample]) -> Labels:
    return np.array([sample.gender for sample in samples], np.str_)


def _describe(sample: Sample, place: int, predictions: Mapping[str, Predictions]) -> str:
    """Returns the label and the predictions for a sample as lines of text."""
    lines = [f"label: {sample.gender}"]
    for name, each in predictions.items():
        lines.append(f"{name}: {each.predicted[place]}, {each.confidence[place]:.3f}")
    return "\n".join(lines) + "\n"
