"""Training targets: probabilities and sample weights of each head, from labels or teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.train.common.heads import GENDER
from image_gender_classifier.train.datasets.sample import Sample

GroupClasses = Mapping[str, Sequence[str]]
"""Classes of each auxiliary head by name, such as "age", in the order of its logits."""
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Training targets of N samples.

    Attributes:
        probabilities: Target probabilities by head: of "female" for the gender head (float32,
            N x 1), of each class for an auxiliary head (float32, N x C).
        weights: Sample weights by head (float32, N).
    """

    probabilities: Mapping[str, _Floats]
    weights: Mapping[str, _Floats]

    def select(self, indices: Any) -> tuple[dict[str, _Floats], dict[str, _Floats]]:
        """Returns the targets and the sample weights of some samples, as Keras expects them.

        Args:
            indices: NumPy index of the samples: a slice or an array.

        Returns:
            A dict from head to target probabilities, and a dict from head to sample weights.
        """
        return (
            {head: values[indices] for head, values in self.probabilities.items()},
            {head: values[indices] for head, values in self.weights.items()},
        )


def collect_group_classes(samples: Sequence[Sample]) -> dict[str, list[str]]:
    """Returns a dict from each kind of group label, such as "age", to its sorted classes.

    Omits a kind with only one class, which needs no auxiliary head.
    """
    found: dict[str, set[str]] = {}
    for sample in samples:
        for kind, label in sample.groups.items():
            found.setdefault(kind, set()).add(label)
    return {kind: sorted(labels) for kind, labels in sorted(found.items()) if len(labels) > 1}


def make_label_targets(
    samples: Sequence[Sample],
    group_classes: GroupClasses,
    group_weight: float,
    label_smoothing: float = 0.0,
) -> Targets:
    """Converts labels to targets; an auxiliary head has weight 0 if the group label is missing.

    Args:
        samples: The labelled samples.
        group_classes: Classes of each auxiliary head.
        group_weight: Loss weight of each auxiliary head.
        label_smoothing: Label smoothing of the gender, 0 to 1.

    Returns:
        Targets in the order of `samples`.
    """
    female = np.array([[sample.gender == "female"] for sample in samples], np.float32)
    probabilities = {GENDER: female * (1 - label_smoothing) + label_smoothing / 2}
    weights = {GENDER: np.ones(len(samples), np.float32)}
    for kind, labels in group_classes.items():
        number = {label: index for index, label in enumerate(labels)}
        classes = np.array([number.get(sample.groups.get(kind, ""), -1) for sample in samples])
        probabilities[kind] = (classes[:, None] == np.arange(len(labels))).astype(np.float32)
        weights[kind] = (classes >= 0).astype(np.float32) * np.float32(group_weight)
    return Targets(probabilities, weights)


def mix_targets(
    targets: Targets, partners: npt.NDArray[np.int64], mixup_weights: _Floats
) -> Targets:
    """Computes mixup targets; a label that is missing in either sample has weight 0.

    Args:
        targets: Targets of N samples.
        partners: Index of the sample that is mixed into each sample (int64, N).
        mixup_weights: Weight of that partner, 0 (no mixup) to 1 (float32, N).

    Returns:
        Targets of the N mixed samples.
    """
    factor = mixup_weights[:, None]
    probabilities = {
        head: (1 - factor) * values + factor * values[partners]
        for head, values in targets.probabilities.items()
    }
    weights = {
        head: np.where(mixup_weights > 0, np.minimum(values, values[partners]), values)
        for head, values in targets.weights.items()
    }
    return Targets(probabilities, weights)


def make_distillation_targets(logits: Mapping[str, _Floats], group_weight: float) -> Targets:
    """Converts teacher logits to target probabilities (soft labels).

    Args:
        logits: Logits by head: gender (float32, N x 1) and each auxiliary head (float32, N x C).
        group_weight: Loss weight of each auxiliary head.

    Returns:
        Targets of the N samples.
    """
    probabilities, weights = {}, {}
    for head, values in logits.items():
        probabilities[head] = _sigmoid(values) if head == GENDER else _softmax(values)
        weight = 1.0 if head == GENDER else group_weight
        weights[head] = np.full(len(values), weight, np.float32)
    return Targets(probabilities, weights)


def _sigmoid(logits: _Floats) -> _Floats:
    return np.exp(-np.logaddexp(np.float32(0), -logits))


def _softmax(logits: _Floats) -> _Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: _Floats = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
