"""Halves of a batch side by side learn and answer what the whole batch does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier.train.common.split_batch import SplitBatchModel

Arrays = dict[str, np.ndarray]


def built(kind: Callable[..., keras.Model]) -> keras.Model:
    """Two heads on one hidden layer, without batch statistics, which parts have of their own."""
    keras.utils.set_random_seed(3)
    pixels = keras.Input((6,), name="pixels")
    x = keras.layers.Dense(5, activation="tanh")(pixels)
    heads = {"gender": keras.layers.Dense(1)(x), "race": keras.layers.Dense(3)(x)}
    model = kind(pixels, heads)
    losses = {
        "gender": keras.losses.BinaryCrossentropy(from_logits=True),
        "race": keras.losses.CategoricalCrossentropy(from_logits=True),
    }
    model.compile(keras.optimizers.SGD(0.5), losses, metrics={"gender": ["mae"]})
    return model


def batch(count: int) -> tuple[np.ndarray, Arrays, Arrays]:
    random = np.random.default_rng(count)
    pixels = random.normal(size=(count, 6)).astype(np.float32)
    wanted = {
        "gender": random.uniform(size=(count, 1)).astype(np.float32),
        "race": np.eye(3, dtype=np.float32)[random.integers(3, size=count)],
    }
    weights = {
        "gender": np.ones(count, np.float32),
        "race": random.uniform(size=count).astype(np.float32),
    }
    return pixels, wanted, weights


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9])
def test_a_training_step_equals_that_of_the_whole_batch(count: int) -> None:
    whole, halved = built(keras.Model), built(SplitBatchModel)
    before = whole.get_weights()
    expected = whole.train_on_batch(*batch(count), return_dict=True)
    got = halved.train_on_batch(*batch(count), return_dict=True)
    for start, ours, theirs in zip(before, halved.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
        assert not np.array_equal(start, ours)
    assert got["loss"] == pytest.approx(expected["loss"], abs=1e-6)
    assert got["gender_mae"] == pytest.approx(expected["gender_mae"], abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_predictions_equal_those_of_the_whole_batch(count: int) -> None:
    pixels, *_ = batch(count)
    expected, got = built(keras.Model).predict(pixels, 4), built(SplitBatchModel).predict(pixels, 4)
    assert set(got) == {"gender", "race"}
    for head, answers in got.items():
        assert len(answers) == count
        np.testing.assert_allclose(answers, expected[head], atol=1e-6)


def test_the_model_can_be_saved_and_loaded(tmp_path: Path) -> None:
    model = built(SplitBatchModel)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again, SplitBatchModel)
    pixels, *_ = batch(4)
    assert np.array_equal(again(pixels)["race"], model(pixels)["race"])
