"""LiteRT, or its predecessor tflite-runtime if LiteRT is not installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError, RuntimeMissing
from image_gender_classifier.system.pool import Pool

try:
    from ai_edge_litert.interpreter import Interpreter

    SINGLE_ROUNDING = True
except ImportError as litert_error:
    try:
        from tflite_runtime.interpreter import Interpreter

        SINGLE_ROUNDING = False
    except ImportError:
        raise litert_error from None

_NUMPY_2 = (
    "tflite-runtime works with NumPy 1 only; run: pip install ai-edge-litert "
    "(or: pip install 'numpy<2')"
)


class TfliteRuntime:
    """A TFLite model with a batch size of 1. Thread-safe.

    An interpreter is not thread-safe, so threads share a pool of them.

    Args:
        data: Content of the model file.

    Raises:
        ModelError: The content is not a model with one input of N x H x W x C.
    """

    def __init__(self, data: bytes) -> None:
        self._interpreters = Pool(lambda: _interpreter(data))
        self._interpreters.use(self._read_signature)

    def _read_signature(self, interpreter: Any) -> None:
        try:
            (details,) = interpreter.get_input_details()
            _, height, width, channels = (int(side) for side in details["shape"])
        except ValueError as error:  # another number of inputs or dimensions
            raise ModelError(f"the TFLite model cannot be used: {error}") from error
        self.input_shape = (height, width, channels)
        self.input_dtype = np.dtype(details["dtype"]).name
        self._input = details["index"]
        self._outputs = [output["index"] for output in interpreter.get_output_details()]

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops (uint8, N x H x W x C); returns each output (float32, N x …)."""
        results = self._interpreters.use(
            lambda interpreter: [self._run_one(interpreter, crop) for crop in crops]
        )
        return tuple(np.concatenate(output) for output in zip(*results, strict=True))

    def _run_one(
        self, interpreter: Any, crop: npt.NDArray[np.uint8]
    ) -> list[npt.NDArray[np.float32]]:
        try:
            interpreter.set_tensor(self._input, crop[np.newaxis])
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in self._outputs]  # copies
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the TFLite model cannot be run: {error}") from error
        except SystemError as error:
            raise RuntimeMissing(_NUMPY_2) from error


def open_model(data: bytes) -> TfliteRuntime:
    """Opens a model from the content of its file.

    Raises:
        ModelError: The content is not a model with one input of N x H x W x C.
        RuntimeMissing: tflite-runtime is installed with NumPy 2.
    """
    return TfliteRuntime(data)


def _interpreter(data: bytes) -> Any:
    """Opens an interpreter.

    LiteRT prints "INFO: Created TensorFlow Lite XNNPACK delegate for CPU." on standard error once
    per process and has no option against it. The command discards the standard error of workers.
    """
    try:
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"the TFLite model cannot be used: {error}") from error
    except SystemError as error:
        raise RuntimeMissing(_NUMPY_2) from error
    return interpreter
