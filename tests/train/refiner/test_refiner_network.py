"""The face refiner network: outputs, weights of the face detector, inference model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")
import keras
from multiply_accumulates import count_multiply_accumulates

from image_gender_classifier.errors import ModelError
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.train.common.start_weights import copy_layers
from image_gender_classifier.train.detector.network import (
    LITE0,
    SMALL,
    build_detector_network,
    make_inference_detector,
)
from image_gender_classifier.train.refiner.network import (
    FACE,
    FRAME,
    HEAD,
    build_refiner_network,
    make_inference_refiner,
)

FINE = "fine2_add"  # the last layer that both networks have before the detector's coarse branch


def build(size: int = 64) -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_refiner_network(size, seed=1)


def draw_pixels(size: int, count: int = 2) -> npt.NDArray[np.float32]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, size, size, 3)).astype(np.float32)


def warm(model: keras.Model) -> None:
    """Gives batch normalisation weights as after a training, so that no layer is silent."""
    random = np.random.default_rng(3)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
            gamma, beta, *moving = layer.get_weights()
            gamma, beta = (weight + random.normal(0, 0.1, weight.shape) for weight in (gamma, beta))
            layer.set_weights([gamma, beta, *moving])
    model(draw_pixels(model.input_shape[1], 16), training=True)


def features(model: keras.Model, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    part = keras.Model(model.input, model.get_layer(FINE).output)
    return np.asarray(part(pixels, training=False))


@pytest.fixture(scope="module")
def small_detector() -> keras.Model:
    keras.utils.set_random_seed(2)
    model = build_detector_network(SMALL, False, 64)
    warm(model)
    return make_inference_detector(model, SMALL)


@pytest.mark.parametrize("size", [32, 64])
def test_outputs_are_a_logit_and_three_numbers(size: int) -> None:
    outputs = build(size)(draw_pixels(size))
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {
        FACE: (2, 1),
        FRAME: (2, 3),
    }


def test_every_pixel_affects_the_outputs() -> None:
    """The first layer sees pixels in pairs and moves by four; it must not skip any."""
    model = build()
    warm(model)
    plain = np.full((1, 64, 64, 3), 127, np.float32)
    empty = model(plain, training=False)
    for row, column in ((0, 0), (0, 63), (30, 33), (31, 32), (32, 31), (63, 0), (63, 63)):
        pixels = plain.copy()
        pixels[0, row, column] = 255
        outputs = model(pixels, training=False)
        for name in (FACE, FRAME):
            assert np.abs(outputs[name] - empty[name]).max() > 1e-5


def test_the_inference_model_has_equal_outputs_and_only_keras_layers() -> None:
    model = build()
    warm(model)
    finished = make_inference_refiner(model)
    pixels = draw_pixels(64)
    ours, theirs = model(pixels, training=False), finished(pixels)
    for name in (FACE, FRAME):
        assert np.ptp(ours[name]) > 0.1
        assert np.allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-4)
    assert {type(layer).__module__.split(".")[0] for layer in finished.layers} == {"keras"}


def test_dropout_is_active_in_training_only() -> None:
    model = build()
    pixels = draw_pixels(64)
    dropped = model(pixels, training=True)[FRAME], model(pixels, training=True)[FRAME]
    assert not np.array_equal(*dropped)
    kept = model(pixels, training=False)[FRAME], model(pixels, training=False)[FRAME]
    assert np.array_equal(*kept)
    finished = make_inference_refiner(model)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in finished.layers)


def test_features_can_be_copied_from_a_detector(small_detector: keras.Model) -> None:
    model, pixels = build(), draw_pixels(64)
    expected = features(small_detector, pixels)
    assert np.abs(features(model, pixels) - expected).max() > 0.1
    head = model.get_layer(FACE).get_weights(), model.get_layer("all").get_weights()
    copy_layers(model, small_detector, HEAD)
    assert np.allclose(features(model, pixels), expected, atol=1e-5)
    assert all(
        map(
            np.array_equal,
            (*head[0], *head[1]),
            (*model.get_layer(FACE).get_weights(), *model.get_layer("all").get_weights()),
        )
    )
    for layer in ("last_wide", "last_mix"):
        both = (one.get_layer(layer).get_weights() for one in (model, small_detector))
        assert all(map(np.array_equal, *both))


@pytest.mark.usefixtures("shipped_keras")
def test_features_can_be_copied_from_the_shipped_detector() -> None:
    detector = keras.models.load_model(shipped_models() / "face_detector.keras", compile=False)
    model, pixels = build(128), draw_pixels(128)
    copy_layers(model, detector, HEAD)
    assert np.allclose(features(model, pixels), features(detector, pixels), atol=1e-4)


def test_all_weights_can_be_copied_from_a_refiner() -> None:
    model, other, pixels = build(), build(), draw_pixels(64)
    for weights in other.get_layer(FACE).weights:
        weights.assign(weights + 0.5)
    earlier = make_inference_refiner(other)
    copy_layers(model, earlier, HEAD)
    for name in (FACE, FRAME):
        assert np.allclose(model(pixels)[name], earlier(pixels)[name], atol=1e-4)


def test_a_refiner_of_another_size_is_refused() -> None:
    with pytest.raises(ModelError, match="the layer all is missing"):
        copy_layers(build(), make_inference_refiner(build(32)), HEAD)


def test_a_detector_with_another_network_is_refused() -> None:
    model = make_inference_detector(build_detector_network(LITE0, False, 64), LITE0)
    with pytest.raises(ModelError, match="the layer stem is missing"):
        copy_layers(build(), model, HEAD)


def test_the_refiner_takes_at_most_a_quarter_of_the_operations_of_the_detector() -> None:
    detector = build_detector_network(SMALL, False, 128)
    assert count_multiply_accumulates(build()) <= 0.25 * count_multiply_accumulates(detector)
    assert build().count_params() < 70_000
