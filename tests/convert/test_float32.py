"""The int8 file in float32 arithmetic: the same answers to the bit, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")
import keras
from keras import layers
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier import manifest, pipeline
from image_gender_classifier.convert import float32, tflite
from image_gender_classifier.convert.exactness import compute_largest_sums
from image_gender_classifier.convert.resizable import Doubling
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.schema import NetworkEntry
from image_gender_classifier.runtimes import open_model
from image_gender_classifier.train.common.detector_option import open_detector
from image_gender_classifier.train.common.efficientnet_lite import RESCALING

Layer = Callable[[Any], Any]


def shipped_entries() -> list[NetworkEntry]:
    models = manifest.load(shipped_models())
    return [entry for entry in models.networks.values() if entry.file.endswith(".tflite")]


def quantised(
    make: Callable[[], list[Layer]], side: int = 16, seed: int = 3, seen: int = 40
) -> bytes:
    """Exports a network of operations to int8; the quantiser sees some pictures of noise."""
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((side, side, 3))
    x = layers.Rescaling(1 / 128, -127 / 128, name=RESCALING)(pixels)
    for operation in make():
        x = operation(x)
    return tflite.quantise(keras.Model(pixels, x), noise(seen, side))


def noise(count: int, side: int = 16) -> Pixels:
    """Pictures of all contrasts; black and white ones too."""
    random = np.random.default_rng(7)
    contrasts = random.uniform(0, 2, (count, 1, 1, 1))
    pixels = 128 + contrasts * random.normal(0, 90, (count, side, side, 3))
    pixels[:2] = [[[[0]]], [[[255]]]]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def assert_same_answers(data: bytes, crops: Pixels) -> int:
    """Gives the number of outputs."""
    of_int8 = open_model("tflite", data).run(crops)
    of_float = open_model("tflite", float32.convert_to_float32(data)).run(crops)
    assert len(of_int8) == len(of_float) > 0
    for one, other in zip(of_int8, of_float, strict=True):
        assert len(np.unique(one)) > 5, "answers that are all alike prove nothing"
        assert np.array_equal(one, other), f"output {one.shape}"
    return len(of_int8)


def residual(x: Any) -> Any:
    y = layers.Conv2D(8, 1)(x)
    return layers.Add()([y, layers.Conv2D(8, 1)(y)])


def joined(x: Any) -> Any:
    limited, plain = layers.Conv2D(8, 3, activation="relu6")(x), layers.Conv2D(8, 3)(x)
    return layers.Concatenate()([limited, plain])


# Made when a test is run, behind its seed.
NETWORKS: dict[str, Callable[[], list[Layer]]] = {
    "strided, linear": lambda: [layers.Conv2D(8, 3, strides=2, padding="same")],
    "without an edge, relu6": lambda: [layers.Conv2D(8, 3, activation="relu6")],
    "an edge around what a relu6 limits": lambda: [
        layers.Conv2D(8, 1, activation="relu6"),
        layers.DepthwiseConv2D(3, padding="same"),
    ],
    "an edge around what a relu limits": lambda: [
        layers.Conv2D(8, 1, activation="relu"),
        layers.Conv2D(4, 3, padding="same"),
    ],
    "an edge around what nothing limits": lambda: [
        layers.Conv2D(8, 1),
        layers.DepthwiseConv2D(5, padding="same", activation="relu6"),
    ],
    "sum": lambda: [residual, layers.Conv2D(4, 1)],
    "sum of what a relu6 limits": lambda: [layers.Conv2D(8, 1, activation="relu6"), residual],
    "mean": lambda: [layers.Conv2D(64, 1, activation="relu6"), layers.GlobalAveragePooling2D()],
    "dense": lambda: [
        layers.Conv2D(64, 3),
        layers.GlobalAveragePooling2D(),
        layers.Dense(6),
    ],
    "enlarged": lambda: [
        layers.Conv2D(8, 3, activation="relu6"),
        Doubling(),
        layers.Conv2D(8, 1),
    ],
    "joined": lambda: [joined, layers.Conv2D(8, 1)],
}


@pytest.mark.parametrize("seed", range(2))
def test_each_operation_equals_the_int8_one(seed: int) -> None:
    """All in one network with an output each, because the conversion takes seconds."""

    def all_of_them(x: Any) -> list[Any]:
        outputs = []
        for make in NETWORKS.values():
            output = x
            for operation in make():
                output = operation(output)
            outputs.append(output)
        return outputs

    data = quantised(lambda: [all_of_them], seed=seed)
    assert assert_same_answers(data, noise(150)) == len(NETWORKS)


def test_every_sum_of_two_values_equals_the_int8_one() -> None:
    """All pairs of red and green, each at a scale of its own."""
    red, green = np.meshgrid(np.arange(256), np.arange(256))
    crop = np.stack([red, green, np.zeros_like(red)], axis=-1).astype(np.uint8)

    def one_channel(place: int, factor: float) -> layers.Conv2D:
        kernel = np.zeros((1, 1, 3, 1), np.float32)
        kernel[0, 0, place] = factor
        return layers.Conv2D(1, 1, kernel_initializer=keras.initializers.Constant(kernel))

    def added(x: Any) -> Any:
        return layers.Add()([one_channel(0, 1.37)(x), one_channel(1, -0.53)(x)])

    data = quantised(lambda: [added], side=256, seen=4)
    assert_same_answers(data, crop[np.newaxis])


def test_a_constant_channel_with_a_large_bias_equals_the_int8_one() -> None:
    """Its weights are so small that the quantiser makes its bias too large for float32."""

    def nearly_dead(shape: Any, dtype: Any = None) -> npt.NDArray[np.float32]:
        kernel: npt.NDArray[np.float32]
        kernel = np.random.default_rng(1).normal(0, 0.5, shape).astype(np.float32)
        kernel[..., 0] *= 1e-7
        return kernel

    bias = keras.initializers.Constant(np.array([-1, 0.1, 0.2, 0.3], np.float32))
    first = layers.Conv2D(
        4, 3, kernel_initializer=nearly_dead, bias_initializer=bias, activation="relu6"
    )
    data = quantised(lambda: [first, layers.Conv2D(4, 1)])
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    biases = [
        np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.int32)
        for tensor in model.subgraphs[0].tensors
        if list(tensor.shape) == [4] and tensor.quantization.zeroPoint is not None
    ]
    assert max(np.abs(numbers.astype(np.int64)).max() for numbers in biases) > 2**24
    assert_same_answers(data, noise(100))


def test_a_trained_network_has_equal_outputs(exported: Any, thousand_crops: Pixels) -> None:
    assert_same_answers(exported.tflite_file, thousand_crops)


@pytest.mark.parametrize("entry", shipped_entries(), ids=lambda entry: entry.file)
def test_shipped_variants_are_converted_from_the_shipped_int8_files(entry: NetworkEntry) -> None:
    assert entry.float32_variant is not None
    folder = shipped_models()
    written = float32.convert_to_float32(manifest.read_verified(folder, entry))
    assert written == manifest.read_verified(folder, entry.float32_variant)


@pytest.mark.parametrize("entry", shipped_entries(), ids=lambda entry: entry.file)
def test_shipped_variants_have_equal_outputs(entry: NetworkEntry, face_picture: Any) -> None:
    size, _, _ = entry.input_shape
    crop = pipeline.find_crop(decoding.read(face_picture), open_detector("network"), size)
    assert crop is not None
    turned = [np.ascontiguousarray(np.rot90(crop, turns)) for turns in range(4)]
    dimmed = [(crop * share).astype(np.uint8) for share in np.linspace(0.1, 1, 20)]
    crops = np.stack([*turned, *dimmed, *noise(60, size)])
    assert_same_answers(manifest.read_verified(shipped_models(), entry), crops)


def test_the_shipped_gender_variant_has_equal_outputs_on_real_faces(real_crops: Pixels) -> None:
    (entry,) = [one for one in shipped_entries() if one.input_shape[0] == real_crops.shape[1]]
    assert_same_answers(manifest.read_verified(shipped_models(), entry), real_crops)


def ones(channels: int, **how: Any) -> Layer:
    convolution: Layer = layers.Conv2D(channels, 1, kernel_initializer="ones", **how)
    return convolution


def constant_added(x: Any) -> Any:
    return layers.Conv2D(2, 3)(x) + np.arange(14 * 14 * 2, dtype=np.float32).reshape(1, 14, 14, 2)


def nearly_cancelled(x: Any) -> Any:
    """A sum that is a thousandth of its terms."""
    first, second = (keras.initializers.Constant(factor) for factor in (1000.0, -999.0))
    pair = [layers.Conv2D(2, 1, kernel_initializer=factor)(x) for factor in (first, second)]
    return layers.Add()(pair)


def joined_twice(x: Any) -> Any:
    """One branch is quantised anew for each of the two."""
    one, two, three = (layers.Conv2D(4, 3)(x) * factor for factor in (1.0, 7.0, 50.0))
    pairs = [layers.Concatenate()([one, other]) for other in (two, three)]
    return layers.Add()([layers.Conv2D(2, 1)(pair) for pair in pairs])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(
            lambda: [layers.Conv2D(4, 3), layers.MaxPooling2D()],
            "operation MAX_POOL_2D is not supported",
            id="unknown operation",
        ),
        pytest.param(
            lambda: [ones(1024, activation="relu6"), ones(2)],
            "too large to be exact in float32",
            id="large sums of products",
        ),
        pytest.param(lambda: [constant_added], "constant|not known", id="a constant added"),
        pytest.param(lambda: [nearly_cancelled], "too large", id="large terms of a sum"),
        pytest.param(
            lambda: [joined_twice], "operation QUANTIZE is not supported", id="quantised anew"
        ),
    ],
)
def test_networks_that_cannot_be_exact_in_float32_are_refused(
    make: Callable[[], list[Layer]], why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        float32.convert_to_float32(quantised(make))


def test_a_uint8_input_is_refused() -> None:
    """As in files of earlier versions."""
    model = flatbuffer_utils.read_model_from_bytearray(
        bytearray(quantised(lambda: [layers.Conv2D(4, 3)]))
    )
    (graph,) = model.subgraphs
    graph.tensors[graph.inputs[0]].type = schema.TensorType.UINT8
    with pytest.raises(ModelError, match="there is not one int8 input"):
        float32.convert_to_float32(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))


def test_means_over_too_many_values_are_refused() -> None:
    """Of 600 x 600 cells of up to 255."""
    mean = [ones(4, activation="relu6"), layers.GlobalAveragePooling2D()]
    with pytest.raises(ModelError, match="too large to be exact"):
        float32.convert_to_float32(quantised(lambda: mean, side=600, seen=4))


def test_the_largest_sum_adds_products_of_one_sign() -> None:
    """Whatever is seen, only one sign's products can add up to the most."""
    weights = np.full((2, 700), 127)
    weights[:, ::2] = -127
    assert compute_largest_sums(weights, 0, 255).tolist() == [350 * 127 * 255] * 2
    assert compute_largest_sums(weights, -128, 127).max() == 350 * 127 * 255
    assert compute_largest_sums(np.array([[3, -2]]), -10, 4).tolist() == [3 * 10 + 2 * 4]
