"""An int8 TFLite file's integers in float32 arithmetic, the same on every runtime.

LiteRT and ONNX Runtime round each layer's sums once, to the nearest integer, a half to the even
one. tflite-runtime's int8 kernels round them twice, as in Jacob et al., "Quantization and Training
of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (CVPR 2018), section 2.2, and a
few layers on half of the values differ by one. In float32 sums of products of small integers are
exact in any order, and what makes the next layer's integers of them is exact too or rounded in one
place: the answers are the int8 file's, whatever runs it.

Rounding and limiting is done by nothing but multiplications, and additions with a ReLU: these are
quick everywhere. tflite-runtime takes twenty times as long for a minimum on 32-bit ARM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.convert.exactness import (
    LOWER_BITS,
    Numbers,
    check_sums,
    fixed_point,
    largest_sums,
)
from image_gender_classifier.convert.tflite_graph import (
    DTYPES,
    FLOAT,
    INT8,
    INT32,
    LINEAR,
    RELU,
    RELU6,
    Graph,
)
from image_gender_classifier.errors import ModelError

_LOWEST, _HIGHEST = -128, 127
_ABSENT = -1  # in place of an input's number
# Where float32's steps are of one: adding it rounds to the nearest integer, a half to the even one.
_ROUNDING = float(3 * 2**22)
_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# How Keras's enlarging to twice the side is exported; none of these changes a number.
_REARRANGING = ("EXPAND_DIMS", "TILE", "SHAPE", "STRIDED_SLICE", "CONCATENATION", "RESHAPE")


class _Value(NamedTuple):
    """The integers of an int8 tensor less its zero point, as the new graph has them.

    They are sign x tensor + shift.
    """

    tensor: int
    sign: int = 1
    shift: float = 0.0


def write(data: bytes) -> bytes:
    """Writes an int8 TFLite file's network anew, in float32 arithmetic.

    Args:
        data: A TFLite file of `tflite.quantise`.

    Returns:
        A TFLite file from the same uint8 crop to the same float32 answers.

    Raises:
        ModelError: It cannot be done: an operation is not known here, or sums are too large.
    """
    return _Writer(flatbuffer_utils.read_model_from_bytearray(bytearray(data))).write()


class _Writer:
    """Takes an int8 graph's operations one by one into a new graph."""

    def __init__(self, model: Any) -> None:
        self._model = model
        (self._old,) = model.subgraphs
        self._new = Graph()
        self._values: dict[int, _Value] = {}

    def write(self) -> bytes:
        inputs: list[int] = []
        for operator in self._old.operators:
            code = self._model.operatorCodes[operator.opcodeIndex]
            name = _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
            (output,) = operator.outputs
            if name == "QUANTIZE" and not inputs:
                (source,) = operator.inputs
                inputs.append(self._input(source, output))
                value = _Value(self._new.dequantised(inputs[-1]))
            elif name in _CONVOLUTIONS:
                value = self._convolution(name, operator, output)
            elif name == "ADD":
                value = self._sum(operator, output)
            elif name == "MEAN":
                value = self._mean(operator, output)
            elif name == "DEQUANTIZE":
                (source,) = operator.inputs
                value = _Value(self._new.times(self._plain(source), self._scale(source)))
            elif name in _REARRANGING:
                value = self._rearranged(name, operator, output, code.version)
            else:
                raise ModelError(f"the operation {name} is not known here")
            self._values[output] = value
        return self._new.write(inputs, [self._values[out].tensor for out in self._old.outputs])

    def _input(self, source: int, output: int) -> int:
        old = self._old.tensors[source]
        if old.type != schema.TensorType.UINT8 or self._scale(source) != self._scale(output):
            raise ModelError("an operation QUANTIZE does more than to move pixels")
        return self._new.integers(self._new.tensor(old.shape, old.type), self._zero_point(source))

    def _convolution(self, name: str, operator: Any, output: int) -> _Value:
        source, weights, bias = operator.inputs
        numbers = self._content(weights).astype(np.int64)
        value = self._value(source)
        if name == "DEPTHWISE_CONV_2D" or numbers.shape[1:-1] not in ((), (1, 1)):
            value = self._unshifted(value)  # what it finds beyond the edge is 0
        # A channel's weights lie along the first axis, a depthwise convolution's along the last.
        axis = -1 if name == "DEPTHWISE_CONV_2D" else 0
        by_channel = np.moveaxis(numbers, axis, 0).reshape(numbers.shape[axis], -1)
        own = 0 if bias == _ABSENT else self._content(bias)
        biases = own + int(value.shift) * by_channel.sum(axis=1)
        scales = self._scale(source) * self._scale(weights) / self._scale(output)
        options = operator.builtinOptions
        activation = options.fusedActivationFunction
        lowest, highest = (end - value.shift for end in self._limits(source, LINEAR))
        products = largest_sums(by_channel, lowest, highest)
        check_sums(products, biases, scales, self._limits(output, activation))
        # Scales are positive, so what is below 0 will be 0.
        options.fusedActivationFunction = LINEAR if activation == LINEAR else RELU
        held = self._new.integers(self._new.constant(value.sign * numbers, INT8))
        inputs = [value.tensor, self._new.dequantised(held), self._new.constant(biases)]
        sums = self._new.add(name, inputs, self._new.tensor(self._shape(output)), options)
        return self._rounded(sums, scales, output, activation)

    def _rounded(
        self, sums: int, scales: npt.NDArray[np.float32], output: int, activation: int
    ) -> _Value:
        """Scales sums, rounds them, and keeps them within int8.

        Args:
            sums: The tensor; none is less than 0 where there is an activation.
            scales: One a channel, or a single one.
            output: The old tensor that they become.
            activation: The old operation's.
        """
        low, high = self._limits(output, activation)
        rounded = self._new.plus(self._new.times(sums, -scales), -_ROUNDING)
        below_high = self._new.plus(rounded, _ROUNDING + high, RELU)
        if activation == LINEAR:
            return self._above_low(below_high, low, high)
        return _Value(below_high, -1, high)

    def _above_low(self, below_high: int, low: float, high: float) -> _Value:
        """Lifts what is too low; given is how far each is below the highest."""
        return _Value(self._new.plus(self._new.times(below_high, -1), high - low, RELU), 1, low)

    def _sum(self, operator: Any, output: int) -> _Value:
        """Adds two tensors of different scales as XNNPACK does: floor(sum of x multiplier + 1/2).

        A product with a multiplier of 21 bits is more than float32 holds, so the multiplier's upper
        and its lower bits are multiplied apart.
        """
        low, high = self._limits(output, operator.builtinOptions.fusedActivationFunction)
        terms = [self._plain(term) for term in operator.inputs]
        factors = [self._scale(term) / self._scale(output) for term in operator.inputs]
        multipliers, shift = fixed_point(np.concatenate(factors))
        upper_step = 2.0 ** (LOWER_BITS - shift)

        def weighted(weights: Numbers) -> int:
            pairs = zip(terms, weights, strict=True)
            return self._new.sum(*(self._new.times(term, weight) for term, weight in pairs))

        carried = self._floor(weighted(multipliers % 2**LOWER_BITS / 2.0**LOWER_BITS))
        upper = weighted((multipliers >> LOWER_BITS) * upper_step)
        whole = self._new.sum(upper, self._new.times(carried, upper_step))
        floor = self._floor(self._new.plus(whole, 0.5))
        below_high = self._new.plus(self._new.times(floor, -1), high, RELU)
        return self._above_low(below_high, low, high)

    def _floor(self, tensor: int) -> int:
        return self._new.add("FLOOR", [tensor], self._new.like(tensor))

    def _mean(self, operator: Any, output: int) -> _Value:
        """Averages as XNNPACK does, which sees to the zero points behind the scale, in float32."""
        source, axes = operator.inputs
        over = self._content(axes)
        count = int(np.prod([self._shape(source)[axis] for axis in over]))
        inputs = [self._plain(source), self._new.constant(over, INT32)]
        sums = self._new.tensor(self._shape(output))
        self._new.add("SUM", inputs, sums, operator.builtinOptions)
        scale = self._scale(source) / (np.float32(count) * self._scale(output))
        limits = float(_LOWEST), float(_HIGHEST)
        check_sums(largest_sums(np.ones((1, count)), *limits), np.zeros(1), scale, limits)
        zero_sum = count * self._zero_point(source)
        bias = np.float32(self._zero_point(output)) - np.float32(zero_sum) * scale
        scaled = self._new.times(self._new.plus(sums, zero_sum), -scale)
        rounded = self._new.plus(self._new.plus(scaled, -bias), -_ROUNDING)
        below_high = self._new.plus(rounded, _ROUNDING + _HIGHEST, RELU)
        return self._above_low(below_high, *self._limits(output, LINEAR))

    def _rearranged(self, name: str, operator: Any, output: int, version: int) -> _Value:
        """Copies an operation that moves numbers, or counts them."""
        inputs = []
        for tensor in operator.inputs:
            kind = self._old.tensors[tensor].type
            if kind == INT8:
                inputs.append(self._plain(tensor))
            elif tensor in self._values:
                inputs.append(self._values[tensor].tensor)
            else:
                inputs.append(self._new.constant(self._content(tensor), kind))
        moves = self._old.tensors[output].type == INT8
        new = self._new.tensor(self._shape(output), FLOAT if moves else INT32)
        return _Value(self._new.add(name, inputs, new, operator.builtinOptions, version))

    def _value(self, source: int) -> _Value:
        if source not in self._values:
            raise ModelError("an operation has a constant where a layer's output is known here")
        return self._values[source]

    def _plain(self, source: int) -> int:
        """A tensor of the integers themselves."""
        tensor, sign, _ = self._unshifted(self._value(source))
        return tensor if sign == 1 else self._new.times(tensor, sign)

    def _unshifted(self, value: _Value) -> _Value:
        """The same integers as a tensor of them, or of their negatives."""
        tensor, sign, shift = value
        return _Value(self._new.plus(tensor, sign * shift), sign) if shift else value

    def _limits(self, tensor: int, activation: int) -> tuple[float, float]:
        """The lowest and the highest integer that a tensor can have, less its zero point."""
        low, high = (float(end - self._zero_point(tensor)) for end in (_LOWEST, _HIGHEST))
        if activation == LINEAR:
            return low, high
        if activation not in (RELU, RELU6):
            raise ModelError(f"the activation {activation} is not known here")
        if activation == RELU6:
            high = min(high, float(np.round(6 / self._scale(tensor)[0])))
        return max(low, 0.0), high

    def _shape(self, tensor: int) -> Sequence[int]:
        shape: Sequence[int] = self._old.tensors[tensor].shape
        return shape

    def _content(self, tensor: int) -> Numbers:
        old = self._old.tensors[tensor]
        data = bytes(self._model.buffers[old.buffer].data)
        return np.frombuffer(data, DTYPES[old.type]).reshape(old.shape)

    def _scale(self, tensor: int) -> npt.NDArray[np.float32]:
        return np.asarray(self._old.tensors[tensor].quantization.scale, np.float32)

    def _zero_point(self, tensor: int) -> int:
        return int(self._old.tensors[tensor].quantization.zeroPoint[0])
