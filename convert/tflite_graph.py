"""A builder for TFLite graphs: tensors, constants and operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from image_gender_classifier.convert.exactness import Numbers

FLOAT, INT8, INT32 = schema.TensorType.FLOAT32, schema.TensorType.INT8, schema.TensorType.INT32
DTYPES = {FLOAT: np.float32, INT8: np.int8, INT32: np.int32}
LINEAR, RELU, RELU6 = (
    getattr(schema.ActivationFunctionType, name) for name in ("NONE", "RELU", "RELU6")
)
_SCHEMA_VERSION = 3
_INT8_VERSION = 2  # the first version of an operation that takes int8


class Graph:
    """A graph under construction; a tensor is identified by its index."""

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

    def tensor(self, shape: Sequence[int], kind: int = FLOAT) -> int:
        """Adds a tensor of a schema TensorType; gives its index."""
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = np.asarray(shape, np.int32), kind, 0
        tensor.name = str(len(self._graph.tensors)).encode()
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def like(self, tensor: int) -> int:
        """Adds a float32 tensor with the shape of another one."""
        return self.tensor(self._graph.tensors[tensor].shape)

    def integers(self, tensor: int, zero_point: int = 0) -> int:
        """Sets a tensor's quantisation scale to 1; gives the tensor."""
        quantisation = schema.QuantizationParametersT()
        quantisation.scale = np.ones(1, np.float32)
        quantisation.zeroPoint = np.full(1, zero_point, np.int64)
        self._graph.tensors[tensor].quantization = quantisation
        return tensor

    def constant(self, content: Numbers, kind: int = FLOAT) -> int:
        """Adds a constant tensor, or gives an existing one with the same content."""
        content = np.asarray(content, DTYPES[kind])
        key = (kind, content.shape, content.tobytes())
        if key not in self._constants:
            tensor = self._constants[key] = self.tensor(content.shape, kind)
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content.tobytes(), np.uint8)
            self._graph.tensors[tensor].buffer = len(self._model.buffers)
            self._model.buffers.append(buffer)
        return self._constants[key]

    def add(
        self, name: str, inputs: Sequence[int], output: int, options: Any = None, version: int = 1
    ) -> int:
        """Adds an operation by its schema name; gives its output tensor."""
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

    def dequantised(self, tensor: int) -> int:
        """Dequantises a tensor to float32."""
        options = schema.DequantizeOptionsT()
        return self.add("DEQUANTIZE", [tensor], self.like(tensor), options, _INT8_VERSION)

    def times(self, tensor: int, factor: Numbers | float) -> int:
        """Multiplies by a number, or by one number per channel."""
        options = schema.MulOptionsT()
        return self.add("MUL", [tensor, self._number(factor)], self.like(tensor), options)

    def plus(self, tensor: int, term: Numbers | float, activation: int = LINEAR) -> int:
        """Adds a number, or one number per channel, and applies an activation."""
        options = schema.AddOptionsT()
        options.fusedActivationFunction = activation
        return self.add("ADD", [tensor, self._number(term)], self.like(tensor), options)

    def sum(self, one: int, other: int) -> int:
        """Adds two tensors of the same shape."""
        return self.add("ADD", [one, other], self.like(one), schema.AddOptionsT())

    def write(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Serialises the graph to the content of a TFLite file."""
        self._graph.inputs, self._graph.outputs = list(inputs), list(outputs)
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def _number(self, number: Numbers | float) -> int:
        number = np.asarray(number, np.float32)
        return self.constant(number.reshape(()) if number.size == 1 else number)
