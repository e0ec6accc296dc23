"""Reads the graph of an int8 TFLite file: shapes, constants, scales, zero points and limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.convert.exactness import Numbers
from image_gender_classifier.convert.tflite_graph import DTYPES, LINEAR, RELU, RELU6
from image_gender_classifier.errors import ModelError

LOWEST, HIGHEST = -128, 127


class Int8Graph:
    """The graph of an int8 TFLite file. Tensors are given by their index.

    Args:
        model: The file, parsed to a `ModelT` of the schema, with one subgraph.

    Attributes:
        subgraph: The subgraph, a `SubGraphT` of the schema.
    """

    def __init__(self, model: Any) -> None:
        self._buffers = model.buffers
        (self.subgraph,) = model.subgraphs

    def type(self, tensor: int) -> int:
        """Returns the type of a tensor, one of the constants of `tflite_graph`."""
        kind: int = self.subgraph.tensors[tensor].type
        return kind

    def shape(self, tensor: int) -> Sequence[int]:
        """Returns the shape of a tensor."""
        shape: Sequence[int] = self.subgraph.tensors[tensor].shape
        return shape

    def read_content(self, tensor: int) -> Numbers:
        """Returns the numbers of a constant tensor, in its dtype and shape."""
        data = bytes(self._buffers[self.subgraph.tensors[tensor].buffer].data)
        return np.frombuffer(data, DTYPES[self.type(tensor)]).reshape(self.shape(tensor))

    def scale(self, tensor: int) -> npt.NDArray[np.float32]:
        """Returns the quantisation scales of a tensor: one, or one per channel (float32, C)."""
        return np.asarray(self.subgraph.tensors[tensor].quantization.scale, np.float32)

    def zero_point(self, tensor: int) -> int:
        """Returns the zero point of a tensor."""
        return int(self.subgraph.tensors[tensor].quantization.zeroPoint[0])

    def find_limits(self, tensor: int, activation: int) -> tuple[float, float]:
        """Returns the lowest and the highest integer of a tensor, minus its zero point.

        Args:
            tensor: Index of the int8 tensor.
            activation: Fused activation of the operation that computes it.

        Raises:
            ModelError: The activation is not supported.
        """
        low, high = (float(end - self.zero_point(tensor)) for end in (LOWEST, HIGHEST))
        if activation == LINEAR:
            return low, high
        if activation not in (RELU, RELU6):
            raise ModelError(f"the activation {activation} is not supported")
        if activation == RELU6:
            high = min(high, float(np.round(6 / self.scale(tensor)[0])))
        return max(low, 0.0), high
