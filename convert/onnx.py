"""Int8 TFLite to ONNX: the same integers in the other format.

Converting the quantised file, rather than quantising a second time, leaves nothing to disagree
about but how two runtimes round. So that they need not round differently either, the graph is
put into the form that ONNX Runtime computes wholly in integers: no ReLU6 between a convolution
and its quantisation, and uint8 activations with int8 weights, which is also its fastest form.
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
_ZERO_POINT = 2  # position among the inputs of QuantizeLinear and DequantizeLinear


def from_tflite(data: bytes) -> bytes:
    """Converts an int8 TFLite file's bytes to an ONNX file's."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.tflite"
        source.write_bytes(data)
        model, _ = convert.from_tflite(str(source), opset=_OPSET)
    _remove_idle_clips(model.graph)
    _round_sums_up(model.graph)
    _use_uint8_activations(model.graph)
    _take_one_crop(model.graph)
    _name_by_position(model.graph)
    del model.graph.value_info[:]  # it names the former types
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _remove_idle_clips(graph: Any) -> None:
    """Removes each ReLU6 that the quantisation behind it does anyway, by saturating."""
    constants = _constants(graph)
    quantisers = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    for clip in [node for node in graph.node if node.op_type == "Clip"]:
        quantiser = quantisers.get(clip.output[0])
        if quantiser is None:
            continue
        scale, zero_point = (constants[name] for name in quantiser.input[1:3])
        low, high = (constants[name] / scale + int(zero_point) for name in clip.input[1:3])
        if round(float(low)) <= _LOWEST and round(float(high)) >= _HIGHEST:
            quantiser.input[0] = clip.input[0]
            graph.node.remove(clip)


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
        of_sum = constants[quantisers[add.output[0]].input[1]]
        shares = [_FRACTION * float(constants[term.input[1]] / of_sum) for term in terms]
        if any(abs(share - round(share)) > _A_TRIFLE * share for share in shares):
            continue
        for side, term in enumerate(terms):
            own = onnx.NodeProto()
            own.CopyFrom(term)
            own.output[0] = f"{add.output[0]}_term_{side}"
            own.input[1] = f"{own.output[0]}_scale"
            scale = np.asarray(constants[term.input[1]] * (1 + _A_TRIFLE), np.float32)
            graph.initializer.append(numpy_helper.from_array(scale, own.input[1]))
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
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        zero_point = node.input[_ZERO_POINT]
        is_weight = node.input[0] in constants
        if is_weight or constants[zero_point].dtype != np.int8:
            continue
        moved = f"{zero_point}_uint8"
        if moved not in constants:
            constants[moved] = (constants[zero_point].astype(np.int16) - _LOWEST).astype(np.uint8)
            graph.initializer.append(numpy_helper.from_array(constants[moved], moved))
        node.input[_ZERO_POINT] = moved


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
