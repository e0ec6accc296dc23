"""Gives the terms and the sum of each residual addition one common scale.

With three different scales an int8 addition has to multiply and round, and every runtime and
processor rounds a little differently; a single differing number spreads through the layers that
follow. With one scale the sum is plain integer addition, exact everywhere, so that TFLite and
ONNX give the same answers, on x86-64 as on ARM. It costs a fraction of a bit of the smaller term.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

_LOWEST, _HIGHEST = -128, 127
_BIAS = 2  # position of the bias among the inputs of a convolution
_WITH_BIAS = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
)


def unify(data: bytes) -> bytes:
    """Rewrites an int8 TFLite file so that its additions need no rescaling."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    (graph,) = model.subgraphs
    codes = [_code(model, operator) for operator in graph.operators]
    additions = [
        {*operator.inputs, *operator.outputs}
        for operator, code in zip(graph.operators, codes, strict=True)
        if code == schema.BuiltinOperator.ADD
    ]
    ratios: dict[int, float] = {}
    for group in _merged(additions):
        ratios |= _give_common_scale(graph, group)
    for operator, code in zip(graph.operators, codes, strict=True):
        if code in _WITH_BIAS and operator.inputs[0] in ratios:
            _rescale_bias(model, graph, operator.inputs[_BIAS], ratios[operator.inputs[0]])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _code(model: Any, operator: Any) -> int:
    entry = model.operatorCodes[operator.opcodeIndex]
    return max(entry.builtinCode, entry.deprecatedBuiltinCode)


def _merged(groups: Iterable[set[int]]) -> list[set[int]]:
    """Joins groups that share a tensor, as a chain of residual blocks does."""
    merged: list[set[int]] = []
    for group in groups:
        joined = set(group)
        for other in [known for known in merged if known & joined]:
            joined |= other
            merged.remove(other)
        merged.append(joined)
    return merged


def _give_common_scale(graph: Any, group: set[int]) -> dict[int, float]:
    """Sets scale and zero point of the tensors; gives old scale over new scale for each."""
    old = {tensor: graph.tensors[tensor].quantization for tensor in group}
    low = min((_LOWEST - q.zeroPoint[0]) * q.scale[0] for q in old.values())
    high = max((_HIGHEST - q.zeroPoint[0]) * q.scale[0] for q in old.values())
    scale = np.float32((high - low) / (_HIGHEST - _LOWEST))
    zero_point = round(_LOWEST - low / float(scale))
    ratios = {tensor: float(q.scale[0] / scale) for tensor, q in old.items()}
    for q in old.values():
        q.scale = np.array([scale], np.float32)
        q.zeroPoint = np.array([zero_point], np.int64)
    return ratios


def _rescale_bias(model: Any, graph: Any, tensor: int, ratio: float) -> None:
    """A bias counts in input scale x weight scale, so it follows the input's new scale."""
    bias = graph.tensors[tensor]
    buffer = model.buffers[bias.buffer]
    values = np.frombuffer(bytes(buffer.data), "<i4")
    buffer.data = np.frombuffer(np.round(values * ratio).astype("<i4").tobytes(), np.uint8)
    bias.quantization.scale = (bias.quantization.scale / ratio).astype(np.float32)
