"""Changes to exported networks, and their outputs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.runtimes import Runtime

Outputs = dict[int, npt.NDArray[np.float32]]


def run_by_channels(runtime: Runtime, inputs: Pixels) -> Outputs:
    """Returns the outputs of a network by their numbers of channels: formats order them freely."""
    return {int(output.shape[-1]): output for output in runtime.run(inputs)}


def change_weights(data: bytes) -> bytes:
    """Returns a TFLite file in whose largest constant every fifth byte differs slightly."""
    flatbuffer_utils = pytest.importorskip("tensorflow.lite.tools.flatbuffer_utils")
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    buffer = max(model.buffers, key=lambda one: 0 if one.data is None else len(one.data))
    buffer.data = buffer.data.copy()
    buffer.data[::5] ^= 1
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def use_int8_weights(data: bytes) -> bytes:
    """Returns an ONNX file with int8 weights everywhere, whose sums saturate without VNNI."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(data)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            for name in (node.input[0], node.input[2]):
                numbers = onnx.numpy_helper.to_array(constants[name])
                if numbers.dtype == np.uint8:
                    moved = (numbers.astype(np.int16) - 128).astype(np.int8)
                    constants[name].CopyFrom(onnx.numpy_helper.from_array(moved, name))
    return bytes(model.SerializeToString())
