"""The face detector networks: heat maps, ImageNet weights, inference model."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")
import keras
from multiply_accumulates import count_multiply_accumulates

from image_gender_classifier.train.common import pretrained
from image_gender_classifier.train.detector import network

NAMES = (network.SMALL, network.LITE0)


def build(name: str, size: int = 128) -> keras.Model:
    keras.utils.set_random_seed(1)
    return network.build_detector_network(name, False, size)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [64, 128])
def test_outputs_have_a_stride_of_eight_pixels(name: str, size: int) -> None:
    answers = build(name, size)(np.zeros((2, size, size, 3), np.float32))
    cells = size // 8
    assert answers["heat"].shape == (2, cells, cells, 1)
    assert answers["box"].shape == (2, cells, cells, 3)


@pytest.mark.parametrize("name", NAMES)
def test_an_untrained_network_detects_no_face(name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.float32)
    assert float(np.max(build(name)(pixels)["heat"])) < -2


@pytest.mark.parametrize("name", NAMES)
def test_the_inference_model_has_equal_outputs_and_only_keras_layers(name: str) -> None:
    model = build(name)
    finished = network.make_inference_detector(model, name)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.float32)
    ours, theirs = model(pixels), finished(pixels)
    for output in (network.HEAT, network.BOX):
        assert np.allclose(ours[output], theirs[output], atol=1e-4)
    assert {type(layer).__module__.split(".")[0] for layer in finished.layers} == {"keras"}


def test_the_small_network_is_small() -> None:
    model = build(network.SMALL)
    assert model.count_params() < 70_000
    assert count_multiply_accumulates(model) <= 12_000_000
    assert count_multiply_accumulates(build(network.LITE0)) > 38_000_000


def test_every_pixel_affects_the_features() -> None:
    """The first layer sees pixels in pairs and moves by four; it must not skip any."""
    model = build(network.SMALL)
    stem = keras.Model(model.input, model.get_layer("stem").output)
    plain = np.full((1, 128, 128, 3), 127, np.float32)
    empty = stem(plain).numpy()
    for row, column in ((0, 0), (50, 61), (51, 62), (52, 63), (53, 64), (127, 127)):
        pixels = plain.copy()
        pixels[0, row, column] = 255
        assert np.abs(stem(pixels).numpy() - empty).max() > 1e-3


def test_lite0_starts_from_imagenet_weights() -> None:
    pytest.importorskip(pretrained.PACKAGE.format(0))
    loaded = network.build_detector_network(network.LITE0, True, 128)
    kernel = pretrained.read_imagenet_weights(0)["_blocks.4._project_conv.weight"]
    (ours,) = loaded.get_layer("block4_project").get_weights()
    assert np.array_equal(ours, kernel.transpose(2, 3, 1, 0))
