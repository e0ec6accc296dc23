"""Builds TFLite graphs: tensors, constants and operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.convert.exactness import Numbers

FLOAT, INT8, UINT8, INT32 = (
    getattr(schema.TensorType, name) for name in ("FLOAT32", "INT8", "UINT8", "INT32")
)
DTYPES = {FLOAT: np.float32, INT8: np.int8, INT32: np.int32}
LINEAR, RELU, RELU6 = (
    getattr(schema.ActivationFunctionType, name) for name in ("NONE", "RELU", "RELU6")
)
_SCHEMA_VERSION = 3
_INT8_VERSION = 2  # the first version of an operation that accepts int8


class Graph:
    """Builder of a TFLite model with one graph; tensors are identified by index.

    Call `serialise` at the end.
    """

    def __init__(self) -> None:
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._model = schema.ModelT()
        self._model.version = _SCHEMA_VERSION
        self._model.subgraphs = [self._graph]
        self._model.buffers = [schema.BufferT()]  # buffer 0 belongs to tensors without content
        self._model.operatorCodes = []
        self._codes: dict[tuple[str, int], int] = {}
        self._constants: dict[tuple[object, ...], int] = {}

    def add_tensor(self, shape: Sequence[int], kind: int = FLOAT) -> int:
        """Adds a tensor and returns its index.

        Args:
            shape: Shape of the tensor.
            kind: Type of the tensor, a `TensorType` of the schema.
        """
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = np.asarray(shape, np.int32), kind, 0
        tensor.name = str(len(self._graph.tensors)).encode()
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def add_tensor_like(self, tensor: int) -> int:
        """Adds a float32 tensor with the shape of another one and returns its index."""
        return self.add_tensor(self._graph.tensors[tensor].shape)

    def set_unit_scale(self, tensor: int, zero_point: int = 0) -> int:
        """Sets the quantisation of a tensor to scale 1 and `zero_point`; returns `tensor`."""
        quantisation = schema.QuantizationParametersT()
        quantisation.scale = np.ones(1, np.float32)
        quantisation.zeroPoint = np.full(1, zero_point, np.int64)
        self._graph.tensors[tensor].quantization = quantisation
        return tensor

    def add_constant(self, content: Numbers, kind: int = FLOAT) -> int:
        """Adds a constant tensor, unless an equal one exists, and returns its index.

        Args:
            content: The values; converted to the dtype of `kind`.
            kind: Type of the tensor, a `TensorType` of the schema.
        """
        content = np.asarray(content, DTYPES[kind])
        key = (kind, content.shape, content.tobytes())
        if key not in self._constants:
            tensor = self._constants[key] = self.add_tensor(content.shape, kind)
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            self._graph.tensors[tensor].buffer = len(self._model.buffers)
            self._model.buffers.append(buffer)
        return self._constants[key]

    def add_operation(
        self, name: str, inputs: Sequence[int], output: int, options: Any = None, version: int = 1
    ) -> int:
        """Adds an operation and returns `output`.

        Args:
            name: Name in the schema's `BuiltinOperator`, such as "ADD".
            inputs: Indices of the input tensors.
            output: Index of the output tensor.
            options: The options object of the operation; None for the defaults.
            version: Version of the operation.
        """
        if (name, version) not in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
            code.version = version
            self._codes[name, version] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes[name, version]
        operator.inputs = np.asarray(inputs, np.int32)
        operator.outputs = np.asarray([output], np.int32)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self._graph.operators.append(operator)
        return output

    def dequantise(self, tensor: int) -> int:
        """Adds a DEQUANTIZE operation and returns the index of its float32 output."""
        options = schema.DequantizeOptionsT()
        return self.add_operation(
            "DEQUANTIZE", [tensor], self.add_tensor_like(tensor), options, _INT8_VERSION
        )

    def multiply(self, tensor: int, factor: Numbers | float) -> int:
        """Adds a MUL operation and returns the index of its output.

        Args:
            tensor: Index of the tensor.
            factor: A number, or an array with one per channel.
        """
        options = schema.MulOptionsT()
        return self.add_operation(
            "MUL", [tensor, self._add_factor(factor)], self.add_tensor_like(tensor), options
        )

    def add_number(self, tensor: int, term: Numbers | float, activation: int = LINEAR) -> int:
        """Adds an ADD operation with a constant term and returns the index of its output.

        Args:
            tensor: Index of the tensor.
            term: A number, or an array with one per channel.
            activation: Fused activation, such as `RELU`.
        """
        options = schema.AddOptionsT()
        options.fusedActivationFunction = activation
        return self.add_operation(
            "ADD", [tensor, self._add_factor(term)], self.add_tensor_like(tensor), options
        )

    def add_tensors(self, one: int, other: int) -> int:
        """Adds an ADD operation for two tensors of equal shape; returns the index of its output."""
        return self.add_operation(
            "ADD", [one, other], self.add_tensor_like(one), schema.AddOptionsT()
        )

    def serialise(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Returns the content of the TFLite file.

        Args:
            inputs: Indices of the input tensors.
            outputs: Indices of the output tensors.
        """
        self._graph.inputs, self._graph.outputs = list(inputs), list(outputs)
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def _add_factor(self, number: Numbers | float) -> int:
        """Adds a float32 constant, a scalar if it has one element, and returns its index."""
        number = np.asarray(number, np.float32)
        return self.add_constant(number.reshape(()) if number.size == 1 else number)
