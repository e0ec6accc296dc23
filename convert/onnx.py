"""Int8 TFLite to ONNX: the same integers in the other format.

Converting the quantised file, rather than quantising a second time, leaves nothing to disagree
about but how two runtimes round. So that they need not round differently either, the graph is
put into the form that ONNX Runtime computes wholly in integers: no ReLU6 between a convolution
and its quantisation, and uint8 activations.

Weights are uint8 too, with zero point 128, except those of depthwise convolutions. On x86-64
processors without VNNI, ONNX Runtime's matrix multiplication of uint8 by int8 adds pairs of
products in 16 bits, which saturate. That of uint8 by uint8 adds in 32 bits on every processor, and
so do the kernels of depthwise convolutions, which are faster with int8 weights.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from tf2onnx import convert

# The first operator set with one scale a channel; any ONNX Runtime since 1.8 reads it.
_OPSET = 13
_LOWEST, _HIGHEST = -128, 127
_FRACTION = 8  # scales of which so many make a whole number of the sum's
_A_TRIFLE = 1e-6
_SCALE, _ZERO_POINT = 1, 2  # positions among the inputs of QuantizeLinear and DequantizeLinear
_MULTIPLIERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_WEIGHTS = 1  # position among the inputs of these


def from_tflite(data: bytes) -> bytes:
    """Converts an int8 TFLite file's bytes to an ONNX file's, with the same answers."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.tflite"
        source.write_bytes(data)
        model, _ = convert.from_tflite(str(source), opset=_OPSET)
    _limit_integers(model.graph)
    _round_sums_up(model.graph)
    _use_uint8_activations(model.graph)
    _use_uint8_weights(model.graph)
    _take_one_crop(model.graph)
    _name_by_position(model.graph)
    del model.graph.value_info[:]  # it names the former types
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _limit_integers(graph: Any) -> None:
    """Moves each ReLU6 behind the quantisation that follows it, where it limits integers.

    Most are idle there, because the quantisation saturates at the same numbers, and are removed.
    """
    constants = _constants(graph)
    quantisers = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    for clip in [node for node in graph.node if node.op_type == "Clip"]:
        quantiser = quantisers.get(clip.output[0])
        if quantiser is None:
            continue
        scale, zero_point = (constants[name] for name in quantiser.input[1:3])
        low, high = (
            int(np.clip(np.rint(constants[name] / scale) + int(zero_point), _LOWEST, _HIGHEST))
            for name in clip.input[1:3]
        )
        quantiser.input[0] = clip.input[0]
        graph.node.remove(clip)
        if (low, high) != (_LOWEST, _HIGHEST):
            _limit(graph, quantiser, low, high)


def _limit(graph: Any, quantiser: Any, low: int, high: int) -> None:
    """Limits a quantiser's integers."""
    limited = quantiser.output[0]
    unlimited = f"{limited}_unlimited"
    quantiser.output[0] = unlimited
    limits = []
    for end, value in (("low", low), ("high", high)):
        limits.append(f"{limited}_{end}")
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.int8), limits[-1]))
    clip = onnx.helper.make_node("Clip", [unlimited, *limits], [limited])
    graph.node.insert(list(graph.node).index(quantiser) + 1, clip)


def _round_sums_up(graph: Any) -> None:
    """Makes sums a trifle larger that often lie half way between two quantised values.

    TFLite rounds these up, ONNX Runtime to the even one. They lie there often where the scale of
    each term is a simple fraction of the sum's, as with terms that a ReLU6 limits.
    """
    constants = _constants(graph)
    scaled = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    quantisers = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    for add in [node for node in graph.node if node.op_type == "Add"]:
        if add.output[0] not in quantisers or not scaled.keys() >= set(add.input):
            continue
        terms = [scaled[name] for name in add.input]
        of_sum = constants[quantisers[add.output[0]].input[_SCALE]]
        shares = [_FRACTION * float(constants[term.input[_SCALE]] / of_sum) for term in terms]
        if any(abs(share - round(share)) > _A_TRIFLE * share for share in shares):
            continue
        for side, term in enumerate(terms):
            own = onnx.NodeProto()
            own.CopyFrom(term)
            own.output[0] = f"{add.output[0]}_term_{side}"
            own.input[_SCALE] = f"{own.output[0]}_scale"
            scale = np.asarray(constants[term.input[_SCALE]] * (1 + _A_TRIFLE), np.float32)
            graph.initializer.append(numpy_helper.from_array(scale, own.input[_SCALE]))
            graph.node.insert(list(graph.node).index(add), own)
            add.input[side] = own.output[0]
    read = {name for node in graph.node for name in node.input}
    read.update(output.name for output in graph.output)
    for node in [node for node in graph.node if not read.intersection(node.output)]:
        graph.node.remove(node)


def _use_uint8_activations(graph: Any) -> None:
    """Moves int8 activations and their zero points up by 128: the same numbers in other bytes."""
    constants = _constants(graph)
    for node in graph.node:
        if node.op_type == "Clip" and constants[node.input[1]].dtype == np.int8:
            node.input[1:] = [_as_uint8(graph, constants, name) for name in node.input[1:]]
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        zero_point = node.input[_ZERO_POINT]
        is_weight = node.input[0] in constants
        if is_weight or constants[zero_point].dtype != np.int8:
            continue
        node.input[_ZERO_POINT] = _as_uint8(graph, constants, zero_point)


def _use_uint8_weights(graph: Any) -> None:
    """Moves the weights of matrix multiplications up by 128, and their zero points with them."""
    constants = _constants(graph)
    for weights in _saturating_weights(graph):
        for place in (0, _ZERO_POINT):
            weights.input[place] = _as_uint8(graph, constants, weights.input[place])


def saturates(data: bytes) -> bool:
    """Reports whether ONNX Runtime may saturate sums of a file on processors without VNNI."""
    return bool(_saturating_weights(onnx.load_from_string(data).graph))


def _saturating_weights(graph: Any) -> list[Any]:
    """The nodes that give int8 weights to anything but a depthwise convolution."""
    constants = _constants(graph)
    scaled = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    found = []
    for node in graph.node:
        weights = scaled.get(node.input[_WEIGHTS]) if node.op_type in _MULTIPLIERS else None
        if weights is None or weights.input[0] not in constants:
            continue
        numbers = constants[weights.input[0]]
        groups = next((one.i for one in node.attribute if one.name == "group"), 1)
        depthwise = node.op_type == "Conv" and groups == len(numbers) > 1 and numbers.shape[1] == 1
        if numbers.dtype == np.int8 and not depthwise and weights not in found:
            found.append(weights)
    return found


def _as_uint8(graph: Any, constants: dict[str, npt.NDArray[Any]], name: str) -> str:
    """Adds a constant moved up by 128, once; gives its name."""
    moved = f"{name}_uint8"
    if moved not in constants:
        constants[moved] = (constants[name].astype(np.int16) - _LOWEST).astype(np.uint8)
        graph.initializer.append(numpy_helper.from_array(constants[moved], moved))
    return moved


def _take_one_crop(graph: Any) -> None:
    """Fixes the batch that tf2onnx leaves open: the TFLite file takes one crop a call."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1


def _name_by_position(graph: Any) -> None:
    """Names everything by its place, because the converter's names change from run to run.

    So does whether it writes down that a node is of the default domain.
    """
    names = {"": "", graph.input[0].name: "crop"}
    for position, output in enumerate(graph.output):
        names[output.name] = "logit" if len(graph.output) == 1 else f"map_{position}"
    for position, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{position}"
        node.ClearField("domain")
        for name in (*node.input, *node.output):
            names.setdefault(name, f"tensor_{len(names)}")
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    used = [tensors[name] for name in names if name in tensors]
    for tensor in used:
        tensor.name = names[tensor.name]
    del graph.initializer[:]
    graph.initializer.extend(used)


def _constants(graph: Any) -> dict[str, npt.NDArray[Any]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
