"""The int8 file: the input that the runtime feeds it, and how near it stays to the original."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
import keras
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.convert import tflite
from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.gender.labelled_crops import LabelledCrops


@pytest.fixture(scope="module")
def interpreter(exported: Any) -> Interpreter:
    opened = Interpreter(model_content=exported.tflite_file, num_threads=1)
    opened.allocate_tensors()
    return opened


def test_the_input_is_int8_pixels_minus_128(interpreter: Interpreter) -> None:
    (details,) = interpreter.get_input_details()
    assert details["dtype"] is np.int8
    assert details["shape"].tolist() == [1, 96, 96, 3]
    assert details["quantization"] == (1 / 128, -1)


def test_the_output_is_one_float_logit(interpreter: Interpreter) -> None:
    (details,) = interpreter.get_output_details()
    assert (details["dtype"], details["shape"].tolist()) == (np.float32, [1, 1])


def test_all_other_tensors_are_integers(interpreter: Interpreter) -> None:
    floats = [
        tensor["name"]
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] == np.float32
    ]
    assert len(floats) == 1, "only the answer itself"


def test_weights_have_one_scale_per_channel(interpreter: Interpreter) -> None:
    kernels = [tensor for tensor in interpreter.get_tensor_details() if len(tensor["shape"]) == 4]
    many = [t for t in kernels if len(t["quantization_parameters"]["scales"]) > 1]
    assert len(many) == 28, "stem, 8 expansions, 9 depthwise, 9 projections, features"


def test_the_file_is_a_third_of_the_keras_file(exported: Any) -> None:
    assert 400_000 < len(exported.tflite_file) < exported.keras_path.stat().st_size / 3


def test_tensor_names_are_short_and_unique(interpreter: Interpreter) -> None:
    names = [tensor["name"] for tensor in interpreter.get_tensor_details()]
    assert max(map(len, names)) <= 4
    assert len(set(names)) == len(names)


def test_logits_are_multiples_of_the_quantisation_step(
    exported: Any, drawn_crops: LabelledCrops
) -> None:
    step = tflite.read_quantisation_steps(exported.tflite_file)[1]
    logits = exported.tflite.run(drawn_crops.crops)[0].reshape(-1)
    parts = logits / step
    assert np.abs(parts - np.round(parts)).max() < 1e-3
    gaps = np.diff(np.unique(logits))
    assert gaps.min() == pytest.approx(step, rel=1e-3)


def test_the_quantisation_step_is_that_of_the_output(exported: Any) -> None:
    """Another single number among the tensors, wherever it stands, is not asked."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(exported.tflite_file))
    (graph,) = model.subgraphs
    other = copy.deepcopy(next(t for t in graph.tensors if t.quantization.scale is not None))
    other.shape = np.array([1, 1], np.int32)
    other.quantization.scale = np.array([123.0], np.float32)
    graph.tensors.append(other)
    changed = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    assert (
        tflite.read_quantisation_steps(changed)[1]
        == tflite.read_quantisation_steps(exported.tflite_file)[1]
    )


def test_a_file_with_a_float_output_has_no_quantisation_step() -> None:
    pixels = keras.Input((8, 8, 3))
    network = keras.Model(pixels, keras.layers.Dense(1)(keras.layers.Flatten()(pixels)))
    data = tf.lite.TFLiteConverter.from_keras_model(network).convert()
    with pytest.raises(ModelError, match="not quantised"):
        tflite.read_quantisation_steps(data)[1]


def test_logits_are_close_to_those_of_keras(exported: Any, drawn_crops: LabelledCrops) -> None:
    of_keras = exported.keras.run(drawn_crops.crops)[0].reshape(-1)
    of_tflite = exported.tflite.run(drawn_crops.crops)[0].reshape(-1)
    assert np.corrcoef(of_keras, of_tflite)[0, 1] > 0.99
    assert np.mean((of_keras > 0) == (of_tflite > 0)) > 0.97


def test_a_model_without_the_rescaling_layer_is_refused() -> None:
    pixels = keras.Input((8, 8, 3))
    other = keras.Model(pixels, keras.layers.Dense(1)(keras.layers.Flatten()(pixels)))
    with pytest.raises(ModelError, match="normalisation"):
        tflite.quantise(other, np.zeros((2, 8, 8, 3), np.uint8))
