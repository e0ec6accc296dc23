"""The networks: their shape, their heads, and that the ImageNet weights really arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("keras")
import keras
from multiply_accumulates import count_multiply_accumulates

from image_gender_classifier.imaging import decoding
from image_gender_classifier.train.common import efficientnet_lite, pretrained
from image_gender_classifier.train.common.fused_batch_norm import FusedBatchNormalization
from image_gender_classifier.train.common.pretrained import BLOCKS
from image_gender_classifier.train.gender import network
from image_gender_classifier.train.gender.recipe import NetworkRecipe, Recipe, load_gender_recipe

GROUPS = {"age": 9, "race": 7}
CATS = range(281, 288)  # among ImageNet's classes


def imagenet(variant: int) -> Mapping[str, np.ndarray]:
    pytest.importorskip(pretrained.PACKAGE.format(variant))
    return pretrained.read_imagenet_weights(variant)


@pytest.fixture(scope="module")
def student() -> NetworkRecipe:
    """The network that ships."""
    return load_gender_recipe().student


@pytest.fixture(scope="module")
def model(student: NetworkRecipe) -> keras.Model:
    pytest.importorskip(pretrained.PACKAGE.format(0))
    keras.utils.set_random_seed(3)
    return network.build_gender_network(student, GROUPS, pretrained=True, seed=3)


@pytest.fixture(scope="module")
def lite2(student: NetworkRecipe) -> keras.Model:
    """All of Lite2 with ImageNet's weights: a teacher before it has learnt anything."""
    pytest.importorskip(pretrained.PACKAGE.format(2))
    whole = replace(student, efficientnet_lite=2, blocks=21, features=1280)
    return network.build_gender_network(whole, {}, pretrained=True, seed=3)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """A bright picture and a dark one."""
    random = np.random.default_rng(0)
    bright, dark = random.integers(100, 256, (96, 96, 3)), random.integers(0, 100, (96, 96, 3))
    return np.stack([bright, dark]).astype(np.float32)


def test_outputs_are_logits_by_head(model: keras.Model, pixels: np.ndarray) -> None:
    outputs = model(pixels)
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {
        "gender": (2, 1),
        "age": (2, 9),
        "race": (2, 7),
    }
    for name in outputs:
        assert model.get_layer(name).activation is keras.activations.linear


def test_inputs_may_have_any_size(model: keras.Model, pixels: np.ndarray) -> None:
    assert model.input_shape == (None, None, None, 3)
    for size in (32, 72, 96):
        assert model(pixels[:, :size, :size])["gender"].shape == (2, 1)


@pytest.fixture(scope="module")
def after_some_steps(student: NetworkRecipe) -> keras.Model:
    """A network whose weights and moving statistics are no longer where they started."""
    keras.utils.set_random_seed(5)
    short = network.build_gender_network(
        replace(student, blocks=3, features=16), {"race": 3}, False, seed=5
    )
    short.compile("adam", {"gender": "mse", "race": "mse"}, jit_compile=False)
    random = np.random.default_rng(1)
    wanted = {"gender": random.normal(size=(8, 1)), "race": random.normal(size=(8, 3))}
    short.fit(random.uniform(0, 255, (8, 48, 48, 3)), wanted, batch_size=4, epochs=3, verbose=0)
    return short


def test_the_inference_model_has_an_equal_gender_output_only(
    after_some_steps: keras.Model, student: NetworkRecipe, pixels: np.ndarray
) -> None:
    finished = network.make_inference_classifier(
        after_some_steps, replace(student, blocks=3, features=16)
    )
    answers = np.asarray(finished(pixels))
    assert (finished.input_shape, answers.shape) == ((None, 96, 96, 3), (2, 1))
    expected = np.asarray(after_some_steps(pixels, training=False)["gender"])
    assert answers == pytest.approx(expected, abs=1e-4)
    assert answers[0, 0] != pytest.approx(answers[1, 0], abs=1e-4), "must depend on the pixels"


def test_the_inference_model_has_only_keras_layers(
    model: keras.Model, student: NetworkRecipe, tmp_path: Path
) -> None:
    finished = network.make_inference_classifier(model, student)
    assert any(type(layer) is FusedBatchNormalization for layer in model.layers)
    assert {type(layer).__module__.partition(".")[0] for layer in finished.layers} == {"keras"}
    names = {layer.name for layer in finished.layers}
    assert not names & {*GROUPS, network.DROPOUT}
    finished.save(tmp_path / "finished.keras")
    assert "image_gender_classifier" not in finished.to_json()


def test_the_student_has_400000_parameters(model: keras.Model, student: NetworkRecipe) -> None:
    assert 400_000 < network.make_inference_classifier(model, student).count_params() < 410_000


def test_the_student_takes_34_million_multiply_accumulates(
    model: keras.Model, student: NetworkRecipe
) -> None:
    """About 34 million multiply-accumulates, of 40 million allowed."""
    assert (
        count_multiply_accumulates(network.make_inference_classifier(model, student)) == 33_666_880
    )


KERNELS = [
    ("stem", "_conv_stem", (2, 3, 1, 0)),
    ("block0_depthwise", "_blocks.0._depthwise_conv", (2, 3, 0, 1)),
    ("block0_project", "_blocks.0._project_conv", (2, 3, 1, 0)),
    ("block4_depthwise", "_blocks.4._depthwise_conv", (2, 3, 0, 1)),
    ("block8_expand", "_blocks.8._expand_conv", (2, 3, 1, 0)),
    ("block8_project", "_blocks.8._project_conv", (2, 3, 1, 0)),
]
NORMALISATIONS = [
    ("stem_bn", "_bn0"),
    ("block0_depthwise_bn", "_blocks.0._bn1"),
    ("block0_project_bn", "_blocks.0._bn2"),
    ("block5_expand_bn", "_blocks.5._bn0"),
    ("block8_project_bn", "_blocks.8._bn2"),
]


def assert_kernel(
    model: keras.Model, layer: str, theirs: np.ndarray, axes: tuple[int, ...]
) -> None:
    (ours,) = model.get_layer(layer).get_weights()
    assert np.array_equal(ours, np.moveaxis(theirs, axes, range(4)))


def assert_normalisation(
    model: keras.Model, layer: str, source: Mapping[str, np.ndarray], name: str
) -> None:
    ours = model.get_layer(layer)
    pairs = [
        (ours.gamma, "weight"),
        (ours.beta, "bias"),
        (ours.moving_mean, "running_mean"),
        (ours.moving_variance, "running_var"),
    ]
    for variable, part in pairs:
        assert np.array_equal(np.asarray(variable), source[f"{name}.{part}"])


@pytest.mark.parametrize(("layer", "name", "axes"), KERNELS)
def test_kernels_are_loaded_from_imagenet(
    layer: str, name: str, axes: tuple[int, ...], model: keras.Model
) -> None:
    assert_kernel(model, layer, imagenet(0)[f"{name}.weight"], axes)


@pytest.mark.parametrize(("layer", "name"), NORMALISATIONS)
def test_batch_normalisation_is_loaded_from_imagenet(
    layer: str, name: str, model: keras.Model
) -> None:
    assert_normalisation(model, layer, imagenet(0), name)


@pytest.mark.parametrize(
    ("layer", "name", "axes"),
    [
        *KERNELS,
        ("block12_depthwise", "_blocks.12._depthwise_conv", (2, 3, 0, 1)),
        ("block20_expand", "_blocks.20._expand_conv", (2, 3, 1, 0)),
        ("block20_project", "_blocks.20._project_conv", (2, 3, 1, 0)),
        ("features", "_conv_head", (2, 3, 1, 0)),
    ],
)
def test_kernels_of_the_whole_lite2_are_loaded_from_imagenet(
    layer: str, name: str, axes: tuple[int, ...], lite2: keras.Model
) -> None:
    assert_kernel(lite2, layer, imagenet(2)[f"{name}.weight"], axes)


@pytest.mark.parametrize(
    ("layer", "name"),
    [*NORMALISATIONS, ("block20_project_bn", "_blocks.20._bn2"), ("features_bn", "_bn1")],
)
def test_batch_normalisation_of_the_whole_lite2_is_loaded_from_imagenet(
    layer: str, name: str, lite2: keras.Model
) -> None:
    assert_normalisation(lite2, layer, imagenet(2), name)


def test_the_whole_lite2_recognises_a_cat(lite2: keras.Model, samples: Path) -> None:
    """With ImageNet's own last layer behind it: blocks, strides and pixels are as published."""
    picture = decoding.read(samples / "cat.jpg").pixels
    pixels = cv2.resize(picture, (260, 260), interpolation=cv2.INTER_AREA)[None].astype(np.float32)
    pooled = keras.Model(lite2.input, lite2.get_layer("pool").output)(pixels)
    source = imagenet(2)
    logits = np.asarray(pooled)[0] @ source["_fc.weight"].T + source["_fc.bias"]
    assert int(np.argmax(logits)) in CATS


def test_without_pretraining_no_weights_are_loaded(
    student: NetworkRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(efficientnet_lite, "read_imagenet_weights", lambda _: pytest.fail("loaded"))
    network.build_gender_network(replace(student, blocks=2), {}, pretrained=False, seed=1)


@pytest.mark.parametrize(("variant", "blocks"), [(0, 1), (0, 4), (0, 16), (1, 21), (2, 21)])
def test_the_network_has_the_requested_number_of_blocks(
    variant: int, blocks: int, student: NetworkRecipe
) -> None:
    model = network.build_gender_network(
        replace(student, efficientnet_lite=variant, blocks=blocks), {}, False, 1
    )
    projections = [layer for layer in model.layers if layer.name.endswith("_project")]
    assert len(projections) == blocks


@pytest.mark.parametrize("lite", [0, 1, 2])
def test_the_limit_of_blocks_is_that_of_the_published_network(lite: int) -> None:
    names = [name.split(".")[1] for name in imagenet(lite) if name.startswith("_blocks.")]
    assert BLOCKS[lite] == 1 + max(map(int, names))


def test_residual_blocks_are_those_of_the_paper(model: keras.Model) -> None:
    """A sum wherever a block repeats its stage, hence in blocks 2, 4, 6, 7 of the first nine."""
    additions = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert additions == ["block2_add", "block4_add", "block6_add", "block7_add"]


def test_pixels_are_scaled_as_the_published_weights_expect(model: keras.Model) -> None:
    scaling = model.get_layer(efficientnet_lite.RESCALING)
    levels = np.array([0, 127, 255], np.float32).reshape(1, 1, 3, 1).repeat(3, axis=3)
    scaled = np.asarray(scaling(levels))[0, 0, :, 0]
    assert scaled.tolist() == [-127 / 128, 0.0, 1.0]


def test_the_same_seed_gives_the_same_network(tiny_recipe: Recipe) -> None:
    def weights() -> list[np.ndarray]:
        keras.utils.set_random_seed(7)
        model = network.build_gender_network(
            tiny_recipe.student, {"race": 3}, pretrained=False, seed=7
        )
        return list(model.get_weights())

    for one, two in zip(weights(), weights(), strict=True):
        assert np.array_equal(one, two)


def test_dropout_depends_on_the_seed(tiny_recipe: Recipe, pixels: np.ndarray) -> None:
    def answers(seed: int) -> np.ndarray:
        keras.utils.set_random_seed(7)
        dropping = replace(tiny_recipe.student, dropout=0.5, features=64)
        model = network.build_gender_network(dropping, {}, pretrained=False, seed=seed)
        return np.asarray(model(pixels, training=True)["gender"])

    assert np.array_equal(answers(1), answers(1))
    assert not np.array_equal(answers(1), answers(2))
