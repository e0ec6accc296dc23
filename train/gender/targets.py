"""Training targets: probabilities and weights of each head, from labels or teachers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.train.datasets.sample import Sample

GENDER = "gender"  # name of the head that inference uses

Vocabulary = Mapping[str, Sequence[str]]
"""Classes of each auxiliary head, in the order of its logits."""
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Targets of some samples.

    Attributes:
        wanted: Target probabilities by head: of female (float32, N x 1), and of each class of a
            group (float32, N x C).
        weights: Sample weights by head (float32, N).
    """

    wanted: Mapping[str, _Floats]
    weights: Mapping[str, _Floats]

    def of(self, places: Any) -> tuple[dict[str, _Floats], dict[str, _Floats]]:
        """Gives targets and sample weights at some indices, in Keras's form."""
        return (
            {head: values[places] for head, values in self.wanted.items()},
            {head: values[places] for head, values in self.weights.items()},
        )


def vocabulary(samples: Sequence[Sample]) -> dict[str, list[str]]:
    """Collects the classes of each kind of group label that has at least two."""
    found: dict[str, set[str]] = {}
    for sample in samples:
        for kind, label in sample.groups.items():
            found.setdefault(kind, set()).add(label)
    return {kind: sorted(labels) for kind, labels in sorted(found.items()) if len(labels) > 1}


def from_labels(
    samples: Sequence[Sample], words: Vocabulary, group_weight: float, label_smoothing: float = 0.0
) -> Targets:
    """Converts labels to targets; a missing group label has weight 0.

    Args:
        samples: The labelled samples.
        words: Classes of the auxiliary heads.
        group_weight: Weight of each auxiliary head.
        label_smoothing: Label smoothing of the gender, 0 to 1.
    """
    female = np.array([[sample.gender == "female"] for sample in samples], np.float32)
    wanted = {GENDER: female * (1 - label_smoothing) + label_smoothing / 2}
    weights = {GENDER: np.ones(len(samples), np.float32)}
    for kind, labels in words.items():
        number = {label: index for index, label in enumerate(labels)}
        classes = np.array([number.get(sample.groups.get(kind, ""), -1) for sample in samples])
        wanted[kind] = (classes[:, None] == np.arange(len(labels))).astype(np.float32)
        weights[kind] = (classes >= 0).astype(np.float32) * np.float32(group_weight)
    return Targets(wanted, weights)


def mixed(targets: Targets, places: npt.NDArray[np.int64], shares: _Floats) -> Targets:
    """Gives mixup targets; a label that either sample lacks has weight 0.

    Args:
        targets: Targets of N samples.
        places: Index of the sample that is mixed into each one (int64, N).
        shares: Share of that sample, 0 to 1 (float32, N).
    """
    share = shares[:, None]
    wanted = {
        head: (1 - share) * values + share * values[places]
        for head, values in targets.wanted.items()
    }
    weights = {
        head: np.where(shares > 0, np.minimum(values, values[places]), values)
        for head, values in targets.weights.items()
    }
    return Targets(wanted, weights)


def from_answers(logits: Mapping[str, _Floats], group_weight: float) -> Targets:
    """Converts a teacher's logits (N x 1 for gender, N x C for each group) to targets."""
    wanted, weights = {}, {}
    for head, values in logits.items():
        wanted[head] = _sigmoid(values) if head == GENDER else _softmax(values)
        weight = 1.0 if head == GENDER else group_weight
        weights[head] = np.full(len(values), weight, np.float32)
    return Targets(wanted, weights)


def _sigmoid(logits: _Floats) -> _Floats:
    return np.exp(-np.logaddexp(np.float32(0), -logits))


def _softmax(logits: _Floats) -> _Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: _Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares
