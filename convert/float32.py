"""The float32 variant of an int8 TFLite file: the same integers, computed in float32.

LiteRT and ONNX Runtime round each layer's result once: convolutions with ties to even, ADD with
ties up, as XNNPACK does. The int8 kernels of tflite-runtime round twice, as in Jacob et al.,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (CVPR
2018), section 2.2, so some values differ by one. In float32, sums of products of small integers are
exact in any order, and each layer rounds its result only once, so that every runtime computes the
outputs of the int8 file.

Rounding and clamping use multiplication and addition with ReLU, and FLOOR in ADD, which are fast on
all runtimes. MINIMUM is twenty times slower in tflite-runtime on 32-bit ARM.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.convert.exactness import (
    LOWER_BITS,
    Numbers,
    check_sums_exact,
    compute_largest_sums,
    to_fixed_point,
)
from image_gender_classifier.convert.int8_graph import HIGHEST, LOWEST, Int8Graph
from image_gender_classifier.convert.tflite_graph import (
    INT8,
    INT32,
    LINEAR,
    RELU,
    UINT8,
    Graph,
)
from image_gender_classifier.errors import ModelError

_ABSENT = -1  # index of an optional input that is absent
# Adding 3 * 2^22 to a float32 number rounds it to an integer, ties to even.
_ROUNDING = float(3 * 2**22)
_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_REARRANGING = ("CONCATENATION", "DEPTH_TO_SPACE", "RESHAPE")  # these only move values


class _Value(NamedTuple):
    """The content of an old tensor, computed in the new graph as sign * tensor + shift.

    For an int8 tensor, the content is its integers minus the zero point.

    Attributes:
        tensor: Index of the tensor in the new graph.
        sign: 1 or -1.
        shift: Added to each element.
    """

    tensor: int
    sign: int = 1
    shift: float = 0.0


def convert_to_float32(data: bytes) -> bytes:
    """Converts an int8 TFLite file to a file that computes the same integers in float32.

    Args:
        data: Content of an int8 TFLite file created by `tflite.quantise`.

    Returns:
        Content of a TFLite file with a uint8 input (the pixels themselves) and identical float32
        outputs.

    Raises:
        ModelError: An operation, activation or constant input is not supported, or sums are too
            large to be exact.
    """
    return _Writer(flatbuffer_utils.read_model_from_bytearray(bytearray(data))).write()


class _Writer:
    """Translates an int8 TFLite graph to float32, one operation at a time.

    `_values` maps the index of a tensor in the old graph to its value in the new graph. The methods
    that add operations take an operation of the old graph and the index of its output there.

    Args:
        model: The int8 TFLite file, parsed to a `ModelT` of the schema.
    """

    def __init__(self, model: Any) -> None:
        self._codes = model.operatorCodes
        self._old = Int8Graph(model)
        self._new = Graph()
        self._values: dict[int, _Value] = {}

    def write(self) -> bytes:
        """Translates all operations and returns the content of the new TFLite file.

        Raises:
            ModelError: The graph cannot be translated exactly.
        """
        pixels = self._add_input()
        for operator in self._old.subgraph.operators:
            code = self._codes[operator.opcodeIndex]
            name = _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
            (output,) = operator.outputs
            if name in _CONVOLUTIONS:
                value = self._add_convolution(name, operator, output)
            elif name == "ADD":
                value = self._add_sum(operator, output)
            elif name == "MEAN":
                value = self._add_mean(operator, output)
            elif name == "DEQUANTIZE":
                (source,) = operator.inputs
                value = _Value(
                    self._new.multiply(self._apply_sign_and_shift(source), self._old.scale(source))
                )
            elif name in _REARRANGING:
                value = self._copy_rearrangement(name, operator, output, code.version)
            else:
                raise ModelError(f"the operation {name} is not supported")
            self._values[output] = value
        return self._new.serialise(
            [pixels], [self._values[out].tensor for out in self._old.subgraph.outputs]
        )

    def _add_input(self) -> int:
        """Adds the uint8 input tensor and returns its index.

        Raises:
            ModelError: The old graph does not have one int8 input.
        """
        source, *others = self._old.subgraph.inputs
        if others or self._old.type(source) != INT8:
            raise ModelError("there is not one int8 input; convert the Keras model again")
        pixels = self._new.set_unit_scale(
            self._new.add_tensor(self._old.shape(source), UINT8),
            self._old.zero_point(source) - LOWEST,
        )
        self._values[source] = _Value(self._new.dequantise(pixels))
        return pixels

    def _add_convolution(self, name: str, operator: Any, output: int) -> _Value:
        """Adds the operations of an int8 convolution or fully connected layer.

        Raises:
            ModelError: A sum can be inexact in float32, or the activation is not supported.
        """
        source, weights, bias = operator.inputs
        numbers = self._old.read_content(weights).astype(np.int64)
        value = self._find_value(source)
        if name == "DEPTHWISE_CONV_2D" or numbers.shape[1:-1] not in ((), (1, 1)):
            value = self._apply_shift(value)  # the padding is 0
        # Output channels are the first axis; in depthwise convolutions the last.
        axis = -1 if name == "DEPTHWISE_CONV_2D" else 0
        by_channel = np.moveaxis(numbers, axis, 0).reshape(numbers.shape[axis], -1)
        own = 0 if bias == _ABSENT else self._old.read_content(bias)
        biases = own + int(value.shift) * by_channel.sum(axis=1)
        scales = self._old.scale(source) * self._old.scale(weights) / self._old.scale(output)
        options = operator.builtinOptions
        activation = options.fusedActivationFunction
        lowest, highest = (end - value.shift for end in self._old.find_limits(source, LINEAR))
        products = compute_largest_sums(by_channel, lowest, highest)
        check_sums_exact(products, biases, scales, self._old.find_limits(output, activation))
        # Scales are positive, so a ReLU before scaling equals one after it.
        options.fusedActivationFunction = LINEAR if activation == LINEAR else RELU
        held = self._new.set_unit_scale(self._new.add_constant(value.sign * numbers, INT8))
        inputs = [value.tensor, self._new.dequantise(held), self._new.add_constant(biases)]
        sums = self._new.add_operation(
            name, inputs, self._new.add_tensor(self._old.shape(output)), options
        )
        return self._round_and_clamp(sums, scales, output, activation)

    def _round_and_clamp(
        self, sums: int, scales: npt.NDArray[np.float32], output: int, activation: int
    ) -> _Value:
        """Adds the operations that scale integer sums, round them and clamp them to the int8 range.

        Args:
            sums: Index of a float32 tensor in the new graph. With a ReLU or ReLU6 activation, its
                values must already be >= 0.
            scales: Factors from sums to output integers, one per channel or one for all.
            output: Index of the output tensor in the old graph.
            activation: Fused activation of the operation in the old graph.
        """
        low, high = self._old.find_limits(output, activation)
        rounded = self._new.add_number(self._new.multiply(sums, -scales), -_ROUNDING)
        below_high = self._new.add_number(rounded, _ROUNDING + high, RELU)
        if activation == LINEAR:
            return self._clamp_below(below_high, low, high)
        return _Value(below_high, -1, high)

    def _clamp_below(self, below_high: int, low: float, high: float) -> _Value:
        """Adds the operations that compute max(x, `low`) from a tensor of `high` - x.

        Args:
            below_high: Index of that tensor in the new graph.
            low: The lower limit.
            high: The upper limit, which x already satisfies.
        """
        return _Value(
            self._new.add_number(self._new.multiply(below_high, -1), high - low, RELU), 1, low
        )

    def _add_sum(self, operator: Any, output: int) -> _Value:
        """Adds the operations of an int8 ADD, as in XNNPACK: floor(weighted sum + 1/2), clamped.

        The weights are fixed-point multipliers of 21 bits. Products with them are not exact in
        float32, so the upper and the lower bits are multiplied separately.

        Raises:
            ModelError: The scale of an input is too large relative to that of the output, an input
                is a constant, or the activation is not supported.
        """
        low, high = self._old.find_limits(output, operator.builtinOptions.fusedActivationFunction)
        terms = [self._apply_sign_and_shift(term) for term in operator.inputs]
        factors = [self._old.scale(term) / self._old.scale(output) for term in operator.inputs]
        multipliers, shift = to_fixed_point(np.concatenate(factors))
        upper_step = 2.0 ** (LOWER_BITS - shift)

        def weighted(weights: Numbers) -> int:
            pairs = zip(terms, weights, strict=True)
            return self._new.add_tensors(
                *(self._new.multiply(term, weight) for term, weight in pairs)
            )

        carried = self._add_floor(weighted(multipliers % 2**LOWER_BITS / 2.0**LOWER_BITS))
        upper = weighted((multipliers >> LOWER_BITS) * upper_step)
        whole = self._new.add_tensors(upper, self._new.multiply(carried, upper_step))
        floor = self._add_floor(self._new.add_number(whole, 0.5))
        below_high = self._new.add_number(self._new.multiply(floor, -1), high, RELU)
        return self._clamp_below(below_high, low, high)

    def _add_floor(self, tensor: int) -> int:
        return self._new.add_operation("FLOOR", [tensor], self._new.add_tensor_like(tensor))

    def _add_mean(self, operator: Any, output: int) -> _Value:
        """Adds the operations of an int8 MEAN as in XNNPACK: zero points are applied after scaling.

        Raises:
            ModelError: A sum is too large to be exact in float32.
        """
        source, axes = operator.inputs
        over = self._old.read_content(axes)
        count = int(np.prod([self._old.shape(source)[axis] for axis in over]))
        inputs = [self._apply_sign_and_shift(source), self._new.add_constant(over, INT32)]
        sums = self._new.add_tensor(self._old.shape(output))
        self._new.add_operation("SUM", inputs, sums, operator.builtinOptions)
        scale = self._old.scale(source) / (np.float32(count) * self._old.scale(output))
        limits = float(LOWEST), float(HIGHEST)
        check_sums_exact(
            compute_largest_sums(np.ones((1, count)), *limits), np.zeros(1), scale, limits
        )
        zero_sum = count * self._old.zero_point(source)
        bias = np.float32(self._old.zero_point(output)) - np.float32(zero_sum) * scale
        scaled = self._new.multiply(self._new.add_number(sums, zero_sum), -scale)
        rounded = self._new.add_number(self._new.add_number(scaled, -bias), -_ROUNDING)
        below_high = self._new.add_number(rounded, _ROUNDING + HIGHEST, RELU)
        return self._clamp_below(below_high, *self._old.find_limits(output, LINEAR))

    def _copy_rearrangement(self, name: str, operator: Any, output: int, version: int) -> _Value:
        """Copies an operation that only moves values; returns its value.

        Args:
            name: Name of the operation in `BuiltinOperator`.
            operator: The operation in the old graph.
            output: Index of its output tensor in the old graph.
            version: Version of the operation.

        Raises:
            ModelError: An int8 input is a constant.
        """
        inputs = []
        for tensor in operator.inputs:
            kind = self._old.type(tensor)
            if kind == INT8:
                inputs.append(self._apply_sign_and_shift(tensor))
            else:
                inputs.append(self._new.add_constant(self._old.read_content(tensor), kind))
        new = self._new.add_tensor(self._old.shape(output))
        return _Value(self._new.add_operation(name, inputs, new, operator.builtinOptions, version))

    def _find_value(self, source: int) -> _Value:
        """Returns the value of an old tensor; raises ModelError if the tensor is a constant."""
        if source not in self._values:
            raise ModelError("an operation has a constant input, which is not supported")
        return self._values[source]

    def _apply_sign_and_shift(self, source: int) -> int:
        """Applies the sign and the shift of an old tensor's value, if it has any.

        Returns:
            Index of a tensor in the new graph that contains the values themselves.

        Raises:
            ModelError: The tensor is a constant.
        """
        tensor, sign, _ = self._apply_shift(self._find_value(source))
        return tensor if sign == 1 else self._new.multiply(tensor, sign)

    def _apply_shift(self, value: _Value) -> _Value:
        """Adds the shift to the tensor in the new graph; returns an equal value with shift 0."""
        tensor, sign, shift = value
        return _Value(self._new.add_number(tensor, sign * shift), sign) if shift else value
