"""Keras model to full-integer TFLite.

Weights and activations become int8 (weights one scale a channel), with the ranges that a
calibration set shows; Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (CVPR 2018). The network's first layer, which only scales the
pixels, is left away: the scale and zero point of the uint8 input say the same and cost nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common.efficientnet_lite import NORMALISATION


def quantise(model: keras.Model, calibration_crops: Pixels) -> bytes:
    """Exports a model to int8 TFLite.

    Args:
        model: From float32 pixels (N x S x S x 3, 0 to 255) to logits or maps; its first layer is
            the scaling of the pixels.
        calibration_crops: uint8 RGB, N x S x S x 3, as the network will see them.

    Returns:
        A TFLite file from one uint8 crop (1 x S x S x 3) to float32 answers of the same shapes.

    Raises:
        ModelError: The model has no such first layer, so it is not one of `image-gender-train`.
    """
    if NORMALISATION not in {layer.name for layer in model.layers}:
        raise ModelError(
            f"the model has no layer {NORMALISATION!r}; give one made by image-gender-train"
        )
    scaling = model.get_layer(NORMALISATION)
    network = keras.Model(scaling.output, model.output)
    # Black and white make the input's range exactly that of the scaling.
    extremes = np.stack(
        [np.zeros_like(calibration_crops[0]), np.full_like(calibration_crops[0], 255)]
    )

    def representative() -> Iterator[list[npt.NDArray[np.float32]]]:
        for crop in (*extremes, *calibration_crops):
            pixels = crop[np.newaxis].astype(np.float32)
            yield [pixels * np.float32(scaling.scale) + np.float32(scaling.offset)]

    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(folder)))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.float32
        data: bytes = converter.convert()
    return _shortly_named(data)


def _shortly_named(data: bytes) -> bytes:
    """Names tensors by their numbers: nothing needs their long names, a tenth of a small file."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    for graph in model.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            tensor.name = str(number).encode()
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def logit_step(data: bytes) -> float:
    """The quantisation step of an int8 TFLite file's logit: no two answers lie closer.

    Raises:
        ModelError: The file's answer is not a quantised number made a float.
    """
    return steps(data)[1]


def steps(data: bytes) -> dict[int, float]:
    """The quantisation steps of an int8 TFLite file's answers, by their channels.

    Raises:
        ModelError: An answer is not quantised numbers made floats.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    (graph,) = model.subgraphs
    found = {}
    for answer in graph.outputs:
        (last,) = (operator for operator in graph.operators if answer in operator.outputs)
        code = model.operatorCodes[last.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.DEQUANTIZE:
            raise ModelError(
                "the TFLite file's answer is not quantised; export it with this command"
            )
        (step,) = graph.tensors[last.inputs[0]].quantization.scale
        found[int(graph.tensors[answer].shape[-1])] = float(step)
    return found
