"""The face detector network: heat maps, ImageNet weights, inference model."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier.train.common import pretrained
from image_gender_classifier.train.detector import network


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    return network.build_detector_network(pretrained=False)


@pytest.mark.parametrize("size", [64, 128])
def test_gives_a_cell_for_every_eight_pixels(model: keras.Model, size: int) -> None:
    answers = model(np.zeros((2, size, size, 3), np.float32))
    cells = size // 8
    assert answers["heat"].shape == (2, cells, cells, 1)
    assert answers["box"].shape == (2, cells, cells, 3)


def test_expects_no_face_before_it_has_learnt_any(model: keras.Model) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.float32)
    assert float(np.max(model(pixels)["heat"])) < -2


def test_the_finished_one_answers_alike_with_kerass_own_layers(model: keras.Model) -> None:
    finished = network.make_inference_detector(model, 128)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.float32)
    ours, theirs = model(pixels), finished(pixels)
    for name in (network.HEAT, network.BOX):
        assert np.allclose(ours[name], theirs[name], atol=1e-4)
    assert {type(layer).__module__.split(".")[0] for layer in finished.layers} == {"keras"}


def test_is_small(model: keras.Model) -> None:
    assert model.count_params() < 100_000


def test_starts_from_imagenet() -> None:
    pytest.importorskip(pretrained.PACKAGE.format(0))
    loaded = network.build_detector_network(pretrained=True)
    kernel = pretrained.read_imagenet_weights(0)["_blocks.4._project_conv.weight"]
    (ours,) = loaded.get_layer("block4_project").get_weights()
    assert np.array_equal(ours, kernel.transpose(2, 3, 1, 0))
