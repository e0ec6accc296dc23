"""The int8 file in float32 arithmetic: the same answers to the bit, or none."""

# ruff: noqa: E402 (a test without its library is skipped before the imports that need it)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

keras = pytest.importorskip("keras")
from keras import layers
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier import images, manifest, pipeline
from image_gender_classifier.convert import in_float, tflite
from image_gender_classifier.entries import NetworkEntry
from image_gender_classifier.errors import ModelError
from image_gender_classifier.faces import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.detectors import open_detector
from image_gender_classifier.train.lite import NORMALISATION

Layer = Callable[[Any], Any]


def shipped_entries() -> list[NetworkEntry]:
    models = manifest.load(shipped_models())
    networks = (*models.models.values(), *models.finders.values())
    return [entry for entry in networks if entry.file.endswith(".tflite")]


def quantised(*operations: Layer, side: int = 16) -> bytes:
    """Exports a network of these operations to int8."""
    keras.utils.set_random_seed(3)
    pixels = keras.Input((side, side, 3))
    x = layers.Rescaling(1 / 128, -127 / 128, name=NORMALISATION)(pixels)
    for operation in operations:
        x = operation(x)
    return tflite.quantise(keras.Model(pixels, x), noise(40, side))


def noise(count: int, side: int = 16) -> Pixels:
    """Pictures of all contrasts; black and white ones too."""
    random = np.random.default_rng(7)
    contrasts = random.uniform(0, 2, (count, 1, 1, 1))
    pixels = 128 + contrasts * random.normal(0, 90, (count, side, side, 3))
    pixels[:2] = [[[[0]]], [[[255]]]]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def assert_same_answers(data: bytes, crops: Pixels) -> None:
    of_int8 = open_model("tflite", data).run(crops)
    of_float = open_model("tflite", in_float.write(data)).run(crops)
    assert len(of_int8) == len(of_float) > 0
    for one, other in zip(of_int8, of_float, strict=True):
        assert len(np.unique(one)) > 5, "answers that are all alike prove nothing"
        assert np.array_equal(one, other)


def residual(x: Any) -> Any:
    y = layers.Conv2D(8, 1)(x)
    return layers.Add()([y, layers.Conv2D(8, 1)(y)])


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param([layers.Conv2D(8, 3, strides=2, padding="same")], id="strided, linear"),
        pytest.param([layers.Conv2D(8, 3, activation="relu6")], id="without an edge, relu6"),
        pytest.param(
            [layers.Conv2D(8, 1, activation="relu6"), layers.DepthwiseConv2D(3, padding="same")],
            id="an edge around what a relu6 limits",
        ),
        pytest.param(
            [layers.Conv2D(8, 1, activation="relu"), layers.Conv2D(4, 3, padding="same")],
            id="an edge around what a relu limits",
        ),
        pytest.param(
            [layers.Conv2D(8, 1), layers.DepthwiseConv2D(5, padding="same", activation="relu6")],
            id="an edge around what nothing limits",
        ),
        pytest.param([residual, layers.Conv2D(4, 1)], id="sum"),
        pytest.param(
            [layers.Conv2D(8, 1, activation="relu6"), residual], id="sum of what a relu6 limits"
        ),
        pytest.param(
            [layers.Conv2D(8, 1, activation="relu6"), layers.GlobalAveragePooling2D()], id="mean"
        ),
        pytest.param(
            [layers.Conv2D(8, 3), layers.GlobalAveragePooling2D(), layers.Dense(6)], id="dense"
        ),
        pytest.param(
            [layers.Conv2D(8, 3, activation="relu6"), layers.UpSampling2D(), layers.Conv2D(8, 1)],
            id="enlarged",
        ),
    ],
)
def test_each_operation_is_exact(operations: list[Layer]) -> None:
    assert_same_answers(quantised(*operations), noise(100))


def test_every_sum_of_two_is_exact() -> None:
    """All pairs of red and green, each at a scale of its own."""
    red, green = np.meshgrid(np.arange(256), np.arange(256))
    crop = np.stack([red, green, np.zeros_like(red)], axis=-1).astype(np.uint8)

    def one_channel(place: int, factor: float) -> layers.Conv2D:
        kernel = np.zeros((1, 1, 3, 1), np.float32)
        kernel[0, 0, place] = factor
        return layers.Conv2D(1, 1, kernel_initializer=keras.initializers.Constant(kernel))

    def added(x: Any) -> Any:
        return layers.Add()([one_channel(0, 1.37)(x), one_channel(1, -0.53)(x)])

    data = quantised(added, side=256)
    assert_same_answers(data, crop[np.newaxis])


def test_a_channel_that_is_always_zero_is_exact() -> None:
    """Its weights are so small that the quantiser makes its bias too large for float32."""

    def nearly_dead(shape: Any, dtype: Any = None) -> npt.NDArray[np.float32]:
        kernel = np.random.default_rng(1).normal(0, 0.5, shape).astype(np.float32)
        kernel[..., 0] *= 1e-7
        return kernel

    bias = keras.initializers.Constant(np.array([-1, 0.1, 0.2, 0.3], np.float32))
    first = layers.Conv2D(
        4, 3, kernel_initializer=nearly_dead, bias_initializer=bias, activation="relu6"
    )
    data = quantised(first, layers.Conv2D(4, 1))
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    biases = [
        np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.int32)
        for tensor in model.subgraphs[0].tensors
        if list(tensor.shape) == [4] and tensor.quantization.zeroPoint is not None
    ]
    assert max(np.abs(numbers.astype(np.int64)).max() for numbers in biases) > 2**24
    assert_same_answers(data, noise(100))


def test_a_trained_network_is_exact(exported: Any, thousand_crops: Pixels) -> None:
    assert_same_answers(exported.tflite_file, thousand_crops)


@pytest.mark.parametrize("entry", shipped_entries(), ids=lambda entry: entry.file)
def test_the_shipped_form_is_that_of_the_shipped_file(entry: NetworkEntry) -> None:
    assert entry.in_float is not None
    folder = shipped_models()
    written = in_float.write(manifest.read_verified(folder, entry))
    assert written == manifest.read_verified(folder, entry.in_float)


@pytest.mark.parametrize("entry", shipped_entries(), ids=lambda entry: entry.file)
def test_the_shipped_form_is_exact(entry: NetworkEntry, face_picture: Any) -> None:
    size, _, _ = entry.input_shape
    crop = pipeline.find_crop(images.read(face_picture), open_detector("cascade"), size)
    assert crop is not None
    turned = [np.ascontiguousarray(np.rot90(crop, turns)) for turns in range(4)]
    dimmed = [(crop * share).astype(np.uint8) for share in np.linspace(0.1, 1, 20)]
    crops = np.stack([*turned, *dimmed, *noise(60, size)])
    assert_same_answers(manifest.read_verified(shipped_models(), entry), crops)


def test_the_shipped_form_is_exact_on_real_faces(real_crops: Pixels) -> None:
    (entry,) = [one for one in shipped_entries() if one.input_shape[0] == real_crops.shape[1]]
    assert_same_answers(manifest.read_verified(shipped_models(), entry), real_crops)


def test_an_unknown_operation_is_refused() -> None:
    data = quantised(layers.Conv2D(4, 3), layers.MaxPooling2D())
    with pytest.raises(ModelError, match="operation MAX_POOL_2D cannot be done in float32"):
        in_float.write(data)


def test_sums_too_large_to_be_exact_are_refused() -> None:
    many = layers.Conv2D(1024, 1, activation="relu6", kernel_initializer="ones")
    all_of_them = layers.Conv2D(2, 1, kernel_initializer="ones")
    with pytest.raises(ModelError, match="too large to be exact in float32"):
        in_float.write(quantised(many, all_of_them))
