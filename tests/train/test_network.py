"""The network: its shape, its heads, and that the ImageNet weights really arrive."""

# ruff: noqa: E402 (a test without its library is skipped before the imports that need it)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from image_gender_classifier.train import network, pretrained
from image_gender_classifier.train.recipe import Recipe

SIZES = {"age": 9, "race": 7}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    pytest.importorskip(pretrained.PACKAGE)
    keras.utils.set_random_seed(3)
    return network.build(Recipe(), SIZES)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (2, 96, 96, 3)).astype(np.float32)


def test_gives_logits_by_the_name_of_their_head(model: keras.Model, pixels: np.ndarray) -> None:
    assert model.input_shape == (None, 96, 96, 3)
    outputs = model(pixels)
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {
        "gender": (2, 1),
        "age": (2, 9),
        "race": (2, 7),
    }
    assert model.get_layer("gender").activation is keras.activations.linear


def test_without_group_heads_gives_the_same_gender_alone(
    model: keras.Model, pixels: np.ndarray
) -> None:
    alone = network.without_group_heads(model)
    assert len(alone.outputs) == 1
    answers = np.asarray(alone(pixels))
    assert answers.shape == (2, 1)
    assert np.array_equal(answers, np.asarray(model(pixels)["gender"]))
    assert not {layer.name for layer in alone.layers} & set(SIZES)


def test_is_as_small_as_it_says(model: keras.Model) -> None:
    assert 400_000 < network.without_group_heads(model).count_params() < 410_000


@pytest.mark.parametrize(
    ("layer", "name", "axes"),
    [
        ("stem", "_conv_stem", (2, 3, 1, 0)),
        ("block0_depthwise", "_blocks.0._depthwise_conv", (2, 3, 0, 1)),
        ("block0_project", "_blocks.0._project_conv", (2, 3, 1, 0)),
        ("block4_depthwise", "_blocks.4._depthwise_conv", (2, 3, 0, 1)),
        ("block8_expand", "_blocks.8._expand_conv", (2, 3, 1, 0)),
        ("block8_project", "_blocks.8._project_conv", (2, 3, 1, 0)),
    ],
)
def test_kernels_are_imagenets(
    layer: str, name: str, axes: tuple[int, ...], model: keras.Model
) -> None:
    theirs = pretrained.efficientnet_lite0()[f"{name}.weight"]
    (ours,) = model.get_layer(layer).get_weights()
    assert np.array_equal(ours, np.moveaxis(theirs, axes, range(4)))


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("stem_bn", "_bn0"),
        ("block0_depthwise_bn", "_blocks.0._bn1"),
        ("block0_project_bn", "_blocks.0._bn2"),
        ("block5_expand_bn", "_blocks.5._bn0"),
        ("block8_project_bn", "_blocks.8._bn2"),
    ],
)
def test_normalisations_are_imagenets(layer: str, name: str, model: keras.Model) -> None:
    source, ours = pretrained.efficientnet_lite0(), model.get_layer(layer)
    pairs = [
        (ours.gamma, "weight"),
        (ours.beta, "bias"),
        (ours.moving_mean, "running_mean"),
        (ours.moving_variance, "running_var"),
    ]
    for variable, part in pairs:
        assert np.array_equal(np.asarray(variable), source[f"{name}.{part}"])


def test_from_scratch_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "efficientnet_lite0", lambda: pytest.fail("loaded"))
    network.build(replace(Recipe(), pretrained=False, blocks=2), {})


@pytest.mark.parametrize("blocks", [1, 4, 16])
def test_has_as_many_blocks_as_asked_for(blocks: int) -> None:
    model = network.build(replace(Recipe(), pretrained=False, blocks=blocks), {})
    projections = [layer for layer in model.layers if layer.name.endswith("_project")]
    assert len(projections) == blocks


def test_adds_where_the_paper_adds(model: keras.Model) -> None:
    """A sum wherever a block repeats its stage, hence in blocks 2, 4, 6, 7 of the first nine."""
    additions = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert additions == ["block2_add", "block4_add", "block6_add", "block7_add"]


def test_scales_pixels_as_the_published_weights_expect(model: keras.Model) -> None:
    scaling = model.get_layer(network.NORMALISATION)
    levels = np.array([0, 127, 255], np.float32).reshape(1, 1, 3, 1).repeat(3, axis=3)
    scaled = np.asarray(scaling(levels))[0, 0, :, 0]
    assert scaled.tolist() == [-127 / 128, 0.0, 1.0]


def test_the_same_seed_gives_the_same_network(tiny_recipe: Recipe) -> None:
    def weights() -> list[np.ndarray]:
        keras.utils.set_random_seed(7)
        return list(network.build(tiny_recipe, {"race": 3}).get_weights())

    for one, two in zip(weights(), weights(), strict=True):
        assert np.array_equal(one, two)
