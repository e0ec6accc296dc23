"""Conversion of an int8 TFLite file to ONNX with the same integers.

The source is the quantised file, so both formats have the same weights and scales. Two changes let
ONNX Runtime compute the graph in integers only: no ReLU6 between a convolution and its
quantisation, and uint8 activations.

Weights become uint8 with zero point 128, except in depthwise convolutions. On x86-64 processors
without VNNI, ONNX Runtime's uint8 by int8 matrix multiplication adds pairs of products in 16 bits,
which can saturate. Its uint8 by uint8 multiplication adds in 32 bits on every processor, and so do
the kernels for depthwise convolutions, which are faster with int8 weights.

In all functions, `graph` is the `GraphProto` of the ONNX model.
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

from image_gender_classifier.convert.exactness import to_fixed_point
from image_gender_classifier.runtimes.onnx import INPUT_SIZE

# The first opset with per-channel scales; ONNX Runtime supports it since 1.8.
_OPSET = 13
_LOWEST, _HIGHEST = -128, 127
_FRACTION = 8  # ties are frequent if each scale is a multiple of 1/8 of the sum's scale
_NUDGE = 1e-6  # relative increase of a scale
_DOUBLE = np.array([1, 1, 2, 2], np.float32)  # scales of a map's height and width
_TO_LAST = (0, 2, 3, 1)  # moves the channels behind height and width
_SCALE, _ZERO_POINT = 1, 2  # positions among the inputs of QuantizeLinear and DequantizeLinear
_MULTIPLIERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_WEIGHTS = 1  # position among the inputs of _MULTIPLIERS


def convert_tflite_to_onnx(data: bytes, *, resizable: bool = False) -> bytes:
    """Converts an int8 TFLite file to ONNX.

    Args:
        data: Content of the TFLite file.
        resizable: Whether its input may have any height and width; see `convert.resizable`.

    Returns:
        Content of an ONNX file that computes the same integers; the conversion is deterministic.

    Raises:
        Exception: tf2onnx or ONNX rejects the file; their exceptions have no common base class.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.tflite"
        source.write_bytes(data)
        model, _ = convert.from_tflite(str(source), opset=_OPSET)
    _clip_integers(model.graph)
    _round_sums_up(model.graph)
    _use_uint8_activations(model.graph)
    _use_uint8_weights(model.graph)
    _fix_batch_size(model.graph)
    if resizable:
        _free_sizes(model)
        _repeat_by_resize(model.graph)
    _order_by_use(model.graph)
    _name_by_position(model.graph)
    del model.graph.value_info[:]  # outdated types
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _clip_integers(graph: Any) -> None:
    """Moves each ReLU6 (Clip node) after the quantisation that follows it, to clamp integers.

    Removes the node if the quantisation saturates at the same values.
    """
    constants = _read_constants(graph)
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
            _add_clip(graph, quantiser, low, high)


def _add_clip(graph: Any, quantiser: Any, low: int, high: int) -> None:
    """Adds a Clip node with the limits `low` and `high` (int8) after a QuantizeLinear node."""
    clipped = quantiser.output[0]
    unclipped = f"{clipped}_unclipped"
    quantiser.output[0] = unclipped
    limits = []
    for end, value in (("low", low), ("high", high)):
        limits.append(f"{clipped}_{end}")
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.int8), limits[-1]))
    clip = onnx.helper.make_node("Clip", [unclipped, *limits], [clipped])
    graph.node.insert(list(graph.node).index(quantiser) + 1, clip)


def _round_sums_up(graph: Any) -> None:
    """Gives the terms of sums the scales that TFLite uses, so that both round in the same way.

    XNNPACK, which runs TFLite's sums, rounds the ratio of each term's scale to the scale of the sum
    to a fixed-point multiplier. And TFLite rounds sums halfway between two quantised values up,
    ONNX Runtime rounds them to even. Such ties are frequent if the ratio is a simple fraction, as
    after a ReLU6; then the sum is increased slightly.
    """
    constants = _read_constants(graph)
    scaled = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    quantisers = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    for add in [node for node in graph.node if node.op_type == "Add"]:
        if add.output[0] not in quantisers or not scaled.keys() >= set(add.input):
            continue
        terms = [scaled[name] for name in add.input]
        of_sum = constants[quantisers[add.output[0]].input[_SCALE]]
        ratios = np.array([constants[term.input[_SCALE]] / of_sum for term in terms]).ravel()
        multipliers, shift = to_fixed_point(ratios)
        eighths = _FRACTION * ratios
        nudge = 0.0 if (abs(eighths - np.rint(eighths)) > _NUDGE * eighths).any() else _NUDGE
        rounded = multipliers.astype(np.float64) / 2.0**shift * (1 + nudge)
        for side, (term, ratio) in enumerate(zip(terms, rounded, strict=True)):
            own = onnx.NodeProto()
            own.CopyFrom(term)
            own.output[0] = f"{add.output[0]}_term_{side}"
            own.input[_SCALE] = f"{own.output[0]}_scale"
            scale = np.asarray(ratio * of_sum, np.float32).reshape(of_sum.shape)
            graph.initializer.append(numpy_helper.from_array(scale, own.input[_SCALE]))
            graph.node.insert(list(graph.node).index(add), own)
            add.input[side] = own.output[0]
    read = {name for node in graph.node for name in node.input}
    read.update(output.name for output in graph.output)
    for node in [node for node in graph.node if not read.intersection(node.output)]:
        graph.node.remove(node)


def _use_uint8_activations(graph: Any) -> None:
    """Adds 128 to int8 activations and their zero points; their real values stay the same.

    The input becomes uint8, too.
    """
    constants = _read_constants(graph)
    (pixels,) = graph.input
    pixels.type.tensor_type.elem_type = onnx.TensorProto.UINT8
    for node in graph.node:
        if node.op_type == "Clip" and constants[node.input[1]].dtype == np.int8:
            node.input[1:] = [_add_uint8_copy(graph, constants, name) for name in node.input[1:]]
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        zero_point = node.input[_ZERO_POINT]
        is_weight = node.input[0] in constants
        if is_weight or constants[zero_point].dtype != np.int8:
            continue
        node.input[_ZERO_POINT] = _add_uint8_copy(graph, constants, zero_point)


def _use_uint8_weights(graph: Any) -> None:
    """Adds 128 to int8 weights and their zero points, except in depthwise convolutions."""
    constants = _read_constants(graph)
    for weights in _find_saturating_weights(graph):
        for index in (0, _ZERO_POINT):
            weights.input[index] = _add_uint8_copy(graph, constants, weights.input[index])


def can_saturate(data: bytes) -> bool:
    """Returns whether ONNX Runtime's sums can saturate on x86-64 processors without VNNI.

    Args:
        data: Content of an ONNX file.
    """
    return bool(_find_saturating_weights(onnx.load_from_string(data).graph))


def _find_saturating_weights(graph: Any) -> list[Any]:
    """Returns the DequantizeLinear nodes of int8 weights, except in depthwise convolutions."""
    constants = _read_constants(graph)
    scaled = {node.output[0]: node for node in graph.node if node.op_type == "DequantizeLinear"}
    found = []
    for node in graph.node:
        weights = scaled.get(node.input[_WEIGHTS]) if node.op_type in _MULTIPLIERS else None
        if weights is None or weights.input[0] not in constants:
            continue
        numbers = constants[weights.input[0]]
        groups = next((item.i for item in node.attribute if item.name == "group"), 1)
        depthwise = node.op_type == "Conv" and groups == len(numbers) > 1 and numbers.shape[1] == 1
        if numbers.dtype == np.int8 and not depthwise and weights not in found:
            found.append(weights)
    return found


def _add_uint8_copy(graph: Any, constants: dict[str, npt.NDArray[Any]], name: str) -> str:
    """Adds a uint8 copy of an int8 constant (plus 128) if it is missing; returns its name."""
    copy = f"{name}_uint8"
    if copy not in constants:
        constants[copy] = (constants[name].astype(np.int16) - _LOWEST).astype(np.uint8)
        graph.initializer.append(numpy_helper.from_array(constants[copy], copy))
    return copy


def _fix_batch_size(graph: Any) -> None:
    """Sets the batch size to 1, as in the TFLite file; tf2onnx leaves it undefined."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1


def _free_sizes(model: Any) -> None:
    """Allows any height and width, and notes the usual ones of the input in the metadata."""
    graph = model.graph
    (pixels,) = graph.input
    _, height, width, _ = (size.dim_value for size in pixels.type.tensor_type.shape.dim)
    onnx.helper.set_model_props(model, {INPUT_SIZE: f"{height} {width}"})
    for value in (pixels, *graph.output):
        names = ("height", "width") if value is pixels else ("rows", "columns")
        for size, name in zip(value.type.tensor_type.shape.dim[1:3], names, strict=True):
            size.dim_param = name
    for node in graph.node:
        if node.op_type == "Reshape":  # of tf2onnx, which moves the only channel of a map with it
            moved = onnx.helper.make_node("Transpose", node.input[:1], node.output, perm=_TO_LAST)
            node.CopyFrom(moved)


def _repeat_by_resize(graph: Any) -> None:
    """Replaces `resizable.Doubling`: ONNX Runtime has no uint8 DepthToSpace before 1.21."""
    makers = {name: node for node in graph.node for name in node.output}
    for node in [node for node in graph.node if node.op_type == "DepthToSpace"]:
        repeated = makers[node.input[0]]
        (values,) = set(repeated.input)  # of a Concat node
        scales = f"{node.output[0]}_scales"
        graph.initializer.append(numpy_helper.from_array(_DOUBLE, scales))
        doubled = onnx.helper.make_node(
            "Resize",
            [values, "", scales],
            node.output,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        node.CopyFrom(doubled)


def _order_by_use(graph: Any) -> None:
    """Sorts nodes so that each comes right before the first that needs it; drops unused ones.

    The order in the output of tf2onnx differs from run to run.
    """
    makers = {name: node for node in graph.node for name in node.output}
    ordered: dict[str, Any] = {}  # nodes by their first output
    waiting = [makers[output.name] for output in reversed(graph.output)]
    while waiting:
        node = waiting[-1]
        needed = [makers[name] for name in node.input if name in makers]
        missing = [maker for maker in needed if maker.output[0] not in ordered]
        if missing:
            waiting += reversed(missing)
        else:
            ordered.setdefault(node.output[0], waiting.pop())
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered.values()]
    del graph.node[:]
    graph.node.extend(nodes)


def _name_by_position(graph: Any) -> None:
    """Renames nodes and tensors by position, clears the nodes' domains, drops unused constants.

    The names and domains in the output of tf2onnx differ from run to run.
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


def _read_constants(graph: Any) -> dict[str, npt.NDArray[Any]]:
    """Returns the constants (initializers) of a graph by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
