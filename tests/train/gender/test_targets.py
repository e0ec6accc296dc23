"""Targets are probabilities; labels and teachers' answers become ones of the same shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

pytest.importorskip("keras")

from image_gender_classifier.train.datasets.sample import BinaryGender, Sample
from image_gender_classifier.train.gender.targets import (
    collect_group_classes,
    make_distillation_targets,
    make_label_targets,
    mix_targets,
)

WORDS = {"race": ["Black", "Indian", "White"]}
LOGITS = st.floats(-50, 50, width=32)


def sample(gender: BinaryGender, **groups: str) -> Sample:
    return Sample("a", Path("a"), gender, groups)


def test_group_classes_are_sorted_without_single_classes() -> None:
    samples = [
        sample("male", race="White", age="3-9", set="one"),
        sample("female", race="Black", set="one"),
        sample("female", age="0-2"),
    ]
    words = collect_group_classes(samples)
    assert words == {"age": ["0-2", "3-9"], "race": ["Black", "White"]}
    assert list(words) == ["age", "race"]
    assert collect_group_classes(samples[::-1]) == words


def test_the_gender_target_is_1_for_female() -> None:
    targets = make_label_targets([sample("female"), sample("male")], {}, 0.2)
    assert targets.probabilities["gender"].tolist() == [[1.0], [0.0]]
    assert targets.weights["gender"].tolist() == [1.0, 1.0]
    assert set(targets.probabilities) == set(targets.weights) == {"gender"}


def test_label_smoothing_changes_the_gender_only() -> None:
    samples = [sample("female", race="White"), sample("male", race="Black")]
    wanted = make_label_targets(samples, WORDS, 0.2, label_smoothing=0.1).probabilities
    assert wanted["gender"] == pytest.approx(np.array([[0.95], [0.05]]))
    assert wanted["race"].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_missing_label_has_weight_0() -> None:
    samples = [sample("female", race="White"), sample("male"), sample("male", race="Black")]
    targets = make_label_targets(samples, WORDS, 0.2)
    assert targets.probabilities["race"].tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert targets.weights["race"].tolist() == pytest.approx([0.2, 0.0, 0.2])
    assert targets.weights["gender"].tolist() == [1.0, 1.0, 1.0]


def test_an_unknown_label_has_weight_0() -> None:
    targets = make_label_targets([sample("male", race="Martian")], WORDS, 0.2)
    assert targets.probabilities["race"].tolist() == [[0, 0, 0]]
    assert targets.weights["race"].tolist() == [0.0]


def test_targets_are_selected_by_index() -> None:
    samples = [sample("female", race="White"), sample("male"), sample("male", race="Black")]
    targets = make_label_targets(samples, WORDS, 0.2)
    wanted, weights = targets.select(np.array([2, 0]))
    assert wanted["gender"].tolist() == [[0.0], [1.0]]
    assert wanted["race"].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert weights["race"].tolist() == pytest.approx([0.2, 0.2])
    every, _ = targets.select(slice(None))
    assert np.array_equal(every["race"], targets.probabilities["race"])


@given(
    arrays.arrays(np.float32, (4, 1), elements=LOGITS),
    arrays.arrays(np.float32, (4, 3), elements=LOGITS),
)
def test_logits_become_probabilities_in_the_same_order(
    gender: np.ndarray, race: np.ndarray
) -> None:
    wanted = make_distillation_targets({"gender": gender, "race": race}, 0.2).probabilities
    assert wanted["gender"] == pytest.approx(1 / (1 + np.exp(-gender.astype(float))), abs=1e-6)
    powers = np.exp(race.astype(float))
    assert wanted["race"] == pytest.approx(powers / powers.sum(axis=1, keepdims=True), abs=1e-6)


def test_all_logits_have_the_weight_of_their_head() -> None:
    logits = {"gender": np.zeros((3, 1), np.float32), "age": np.zeros((3, 9), np.float32)}
    weights = make_distillation_targets(logits, 0.2).weights
    assert weights["gender"].tolist() == [1.0, 1.0, 1.0]
    assert weights["age"].tolist() == pytest.approx([0.2, 0.2, 0.2])


def test_targets_of_labels_and_logits_have_equal_shapes() -> None:
    samples = [sample("female", race="White"), sample("male", race="Black")]
    logits = {"gender": np.zeros((2, 1), np.float32), "race": np.zeros((2, 3), np.float32)}
    of_labels, of_answers = (
        make_label_targets(samples, WORDS, 0.2),
        make_distillation_targets(logits, 0.2),
    )
    for one, two in (
        (of_labels.probabilities, of_answers.probabilities),
        (of_labels.weights, of_answers.weights),
    ):
        assert {head: (values.shape, values.dtype) for head, values in one.items()} == {
            head: (values.shape, values.dtype) for head, values in two.items()
        }


def test_mixup_mixes_the_targets() -> None:
    samples = [sample("female", race="White"), sample("male", race="Black"), sample("male")]
    targets = make_label_targets(samples, WORDS, 0.2)
    shares = np.array([0.25, 0, 0.5], np.float32)
    both = mix_targets(targets, np.array([1, 2, 0]), shares)
    assert both.probabilities["gender"].tolist() == [[0.75], [0.0], [0.5]]
    assert both.probabilities["race"].tolist() == [[0.25, 0, 0.75], [1, 0, 0], [0, 0, 0.5]]
    assert both.weights["gender"].tolist() == [1.0, 1.0, 1.0]
    assert both.weights["race"].tolist() == pytest.approx([0.2, 0.2, 0.0])
    assert {values.dtype for values in both.probabilities.values()} == {np.dtype(np.float32)}
