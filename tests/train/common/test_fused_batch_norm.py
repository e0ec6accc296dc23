"""The fused layer must be Keras's own in all but speed: the shipped model is read by Keras's."""

# ruff: noqa: E402 (a test without its library is skipped before the imports that need it)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

tf = pytest.importorskip("tensorflow")

from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization

SHAPE = (4, 5, 6, 3)
COUNT = 4 * 5 * 6
EPSILON = 1e-3


def pixels(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.normal(size=SHAPE) * (1, 5, 0.1) + (0, 3, -2)).astype(np.float32)


def layer_of(kind: type[Any]) -> Any:
    """A layer with weights as if after some training."""
    layer = kind(epsilon=EPSILON)
    layer.build(SHAPE)
    layer.set_weights(
        [
            np.array(values, np.float32)
            for values in ((0.5, 2, 1), (1, -1, 0), (0.1, 2, -1), (2, 20, 0.5))
        ]
    )
    return layer


@pytest.fixture
def both() -> tuple[Any, Any]:
    return layer_of(FusedBatchNormalization), layer_of(keras.layers.BatchNormalization)


def test_weights_are_those_of_keras_in_the_same_order(both: tuple[Any, Any]) -> None:
    ours, theirs = ([weight.name for weight in layer.weights] for layer in both)
    assert ours == theirs == ["gamma", "beta", "moving_mean", "moving_variance"]
    ours, theirs = ([weight.name for weight in layer.trainable_weights] for layer in both)
    assert ours == theirs == ["gamma", "beta"]


@pytest.mark.parametrize("training", [False, None])
def test_inference_equals_that_of_keras(training: bool | None, both: tuple[Any, Any]) -> None:
    before = both[0].get_weights()
    ours, theirs = (np.asarray(layer(pixels(0), training=training)) for layer in both)
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert all(map(np.array_equal, both[0].get_weights(), before))


def test_training_normalises_like_keras(both: tuple[Any, Any]) -> None:
    ours, theirs = (np.asarray(layer(pixels(0), training=True)) for layer in both)
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_moving_statistics_equal_those_of_keras(both: tuple[Any, Any]) -> None:
    """The kernel keeps the unbiased variance, which is n/(n-1) of Keras's."""
    fused, own = both
    for layer in both:
        layer(pixels(0), training=True)
    (_, _, ours_mean, ours), (_, _, theirs_mean, theirs) = fused.get_weights(), own.get_weights()
    assert ours_mean == pytest.approx(theirs_mean, abs=1e-4)
    before, momentum = np.array([2, 20, 0.5]), own.momentum
    of_keras = (theirs - before * momentum) / (1 - momentum)
    of_ours = (ours - before * momentum) / (1 - momentum)
    assert of_ours == pytest.approx(of_keras * COUNT / (COUNT - 1), rel=1e-3, abs=1e-3)
    assert ours == pytest.approx(theirs, rel=1e-2)


def test_gradients_equal_those_of_keras(both: tuple[Any, Any]) -> None:
    wanted = pixels(1)

    def gradients(layer: Any) -> list[np.ndarray]:
        inputs = tf.Variable(pixels(0))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((layer(inputs, training=True) - wanted) ** 2)
        sources = [inputs, *(weight.value for weight in layer.trainable_weights)]
        return [gradient.numpy() for gradient in tape.gradient(loss, sources)]

    for ours, theirs in zip(*map(gradients, both), strict=True):
        assert np.abs(theirs).max() > 1e-4
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_a_training_equals_that_of_keras() -> None:
    """Some steps of a whole model, compiled as in a real training."""

    def trained(kind: type[Any]) -> Any:
        keras.utils.set_random_seed(0)
        inputs = keras.Input(SHAPE[1:])
        outputs = keras.layers.Conv2D(4, 3, use_bias=False)(inputs)
        outputs = keras.layers.ReLU()(kind(epsilon=EPSILON)(outputs))
        outputs = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(outputs))
        model = keras.Model(inputs, outputs)
        model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=False)
        data = np.concatenate([pixels(seed) for seed in range(3)])
        model.fit(data, data.mean(axis=(1, 2, 3)), batch_size=4, shuffle=False, verbose=0)
        return model

    ours, theirs = trained(FusedBatchNormalization), trained(keras.layers.BatchNormalization)
    for one, two in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        assert np.asarray(one) == pytest.approx(np.asarray(two), abs=1e-4)
    assert ours.predict(pixels(9), verbose=0) == pytest.approx(
        theirs.predict(pixels(9), verbose=0), abs=1e-2
    )


def test_the_layer_can_be_saved_and_loaded(tmp_path: Path) -> None:
    inputs = keras.Input((None, None, 3))
    layer = FusedBatchNormalization(epsilon=EPSILON)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights(layer_of(FusedBatchNormalization).get_weights())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is FusedBatchNormalization
    for training in (False, True):
        ours, theirs = (np.asarray(one(pixels(0), training=training)) for one in (model, loaded))
        assert np.array_equal(ours, theirs)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
