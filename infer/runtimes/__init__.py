"""Inference runtimes behind one Protocol, and the choice among those installed."""

from __future__ import annotations

import importlib
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import RuntimeMissing

RuntimeName = Literal["tflite", "onnx"]

# LiteRT comes first: it starts faster and takes less memory (docs/performance.md).
PREFERENCE: tuple[RuntimeName, ...] = ("tflite", "onnx")
SUFFIXES: dict[str, RuntimeName] = {".tflite": "tflite", ".onnx": "onnx"}
_MODULES: dict[RuntimeName, str] = {
    "tflite": "image_gender_classifier.runtimes.tflite",
    "onnx": "image_gender_classifier.runtimes.onnx",
}
_INSTALL = {
    "tflite": "pip install ai-edge-litert",
    "onnx": "pip install onnxruntime",
}


class Runtime(Protocol):
    """One opened model, safe for any number of threads.

    Attributes:
        input_shape: Height, width and channels of a crop.
        input_dtype: NumPy's name of the input's type.
    """

    input_shape: tuple[int, int, int]
    input_dtype: str

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops (uint8, N x H x W x C); gives each output (float32, N x …)."""
        ...


def open_model(name: RuntimeName, data: bytes) -> Runtime:
    """Opens a model with a runtime, on one thread: workers are what uses the cores.

    Args:
        name: The runtime, which must fit the model's format.
        data: The model file's bytes.

    Raises:
        RuntimeMissing: The runtime is not installed or cannot be loaded.
        ModelError: The runtime cannot use these bytes.
    """
    runtime: Runtime = _module(name).open_model(data)
    return runtime


def rounds_once(name: RuntimeName) -> bool:
    """Tells whether a runtime's int8 kernels round each sum once, as LiteRT's do.

    Raises:
        RuntimeMissing: The runtime is not installed or cannot be loaded.
    """
    once: bool = _module(name).ROUNDS_ONCE
    return once


def _module(name: RuntimeName) -> Any:
    try:
        return importlib.import_module(_MODULES[name])
    except (ImportError, OSError, AttributeError) as error:
        raise RuntimeMissing(
            f"the {name} runtime cannot be loaded ({error}); run: {_INSTALL[name]}"
        ) from None
