"""Post-training quantisation: converts a Keras model to a full-integer (int8) TFLite file.

Weights (one scale per channel) and activations become int8; a calibration set determines the ranges
of the activations. See Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (CVPR 2018). The rescaling layer becomes the scale and zero
point of the input. The input is int8, because the operation that converts a uint8 input takes a
tenth of the time of a small network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.convert.resizable import PixelPairs
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.common.efficientnet_lite import RESCALING


def quantise(model: keras.Model, calibration_crops: Pixels) -> bytes:
    """Quantises a Keras model and converts it to an int8 TFLite file.

    Args:
        model: Maps float32 RGB pixels (N x S x S x 3, 0 to 255) to logits or maps; its first layer
            rescales the pixels.
        calibration_crops: Representative network inputs (uint8 RGB, N x S x S x 3).

    Returns:
        Content of a TFLite file that maps one crop (int8 RGB, 1 x S x S x 3: pixels minus 128) to
        float32 outputs; after `make_resizable`, its pixels may be in pairs (1 x S x S/2 x 6).

    Raises:
        ModelError: The model does not contain the rescaling layer of the networks in `train/`.
    """
    if RESCALING not in {layer.name for layer in model.layers}:
        raise ModelError(
            f"the model has no layer {RESCALING!r}; use a model trained with "
            "image-gender-train, image-gender-train-detector or image-gender-train-refiner"
        )
    scaling = model.get_layer(RESCALING)
    pairs = [layer for layer in model.layers if isinstance(layer, PixelPairs)]
    start = pairs[0] if pairs else scaling
    network = keras.Model(start.output, model.output)
    height, width, channels = calibration_crops.shape[1:]
    shape = (height, width // 2, 2 * channels) if pairs else (height, width, channels)
    # A black and a white picture extend the range of the input to that of all pixel values.
    extremes = np.stack(
        [np.zeros_like(calibration_crops[0]), np.full_like(calibration_crops[0], 255)]
    )

    def representative() -> Iterator[list[npt.NDArray[np.float32]]]:
        for crop in (*extremes, *calibration_crops):
            pixels = crop.reshape(1, *shape).astype(np.float32)
            yield [pixels * np.float32(scaling.scale) + np.float32(scaling.offset)]

    with tempfile.TemporaryDirectory() as folder:
        # With fixed sizes the converter computes all shapes in advance.
        one_crop = keras.InputSpec(dtype="float32", shape=(1, *shape))
        network.export(folder, verbose=False, input_signature=[one_crop])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.float32
        data: bytes = converter.convert()
    return _rename_tensors(data)


def _rename_tensors(data: bytes) -> bytes:
    """Replaces tensor names by numbers; the long names of Keras are a tenth of a small file."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    for graph in model.subgraphs:
        for number, tensor in enumerate(graph.tensors):
            tensor.name = str(number).encode()
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def read_quantisation_steps(data: bytes) -> dict[int, float]:
    """Reads the quantisation step (scale) of each output of a TFLite file.

    Args:
        data: Content of an int8 TFLite file.

    Returns:
        A dict from an output's number of channels to its step; the gender logit has 1 channel.

    Raises:
        ModelError: An output is not the result of a DEQUANTIZE operation.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    (graph,) = model.subgraphs
    found = {}
    for output in graph.outputs:
        (last,) = (operator for operator in graph.operators if output in operator.outputs)
        code = model.operatorCodes[last.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.DEQUANTIZE:
            raise ModelError(
                "an output of the TFLite file is not quantised; export the model with "
                "image-gender-convert"
            )
        (step,) = graph.tensors[last.inputs[0]].quantization.scale
        found[int(graph.tensors[output].shape[-1])] = float(step)
    return found
