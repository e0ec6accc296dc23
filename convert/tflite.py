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
from ai_edge_litert.interpreter import Interpreter

from image_gender_classifier.convert import common_scales
from image_gender_classifier.errors import ModelError
from image_gender_classifier.faces import Pixels
from image_gender_classifier.train.network import NORMALISATION


def quantise(model: keras.Model, calibration_crops: Pixels) -> bytes:
    """Exports a model to int8 TFLite.

    Args:
        model: From float32 pixels (N x S x S x 3, 0 to 255) to one logit (N x 1); its first
            layer is the scaling of the pixels.
        calibration_crops: uint8 RGB, N x S x S x 3, as the network will see them.

    Returns:
        A TFLite file from one uint8 crop (1 x S x S x 3) to one float32 logit (1 x 1).

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
        return common_scales.unify(converter.convert())


def logit_step(data: bytes) -> float:
    """The quantisation step of an int8 TFLite file's logit: no two answers lie closer."""
    interpreter = Interpreter(model_content=data, num_threads=1)
    scales = [
        tensor["quantization"][0]
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] == np.int8 and np.prod(tensor["shape"]) == 1
    ]
    return float(scales[-1])
