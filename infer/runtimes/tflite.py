"""LiteRT, or its predecessor tflite-runtime where that is what is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError, RuntimeMissing
from image_gender_classifier.system.pool import Pool

try:
    from ai_edge_litert.interpreter import Interpreter

    ROUNDS_ONCE = True
except ImportError as litert_error:
    try:
        from tflite_runtime.interpreter import Interpreter

        ROUNDS_ONCE = False
    except ImportError:
        raise litert_error from None

_NUMPY_2 = (
    "tflite-runtime works with NumPy 1 only; run: pip install ai-edge-litert "
    "(or: pip install 'numpy<2')"
)


class TfliteRuntime:
    """A TFLite model that takes one crop a call.

    An interpreter serves one thread at a time: several threads share a pool of them.

    Raises:
        ModelError: The bytes are not a model that takes batches of crops.
    """

    def __init__(self, data: bytes) -> None:
        self._interpreters = Pool(lambda: _interpreter(data))
        self._interpreters.use(self._read_form)

    def _read_form(self, interpreter: Any) -> None:
        try:
            (details,) = interpreter.get_input_details()
            _, height, width, channels = (int(side) for side in details["shape"])
        except ValueError as error:  # another number of inputs or dimensions
            raise ModelError(f"the TFLite model cannot be used: {error}") from None
        self.input_shape = (height, width, channels)
        self.input_dtype = np.dtype(details["dtype"]).name
        self._input = details["index"]
        self._outputs = [output["index"] for output in interpreter.get_output_details()]

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops (uint8, N x H x W x C); gives each output (float32, N x …)."""
        answers = self._interpreters.use(
            lambda interpreter: [self._run_one(interpreter, crop) for crop in crops]
        )
        return tuple(np.concatenate(output) for output in zip(*answers, strict=True))

    def _run_one(
        self, interpreter: Any, crop: npt.NDArray[np.uint8]
    ) -> list[npt.NDArray[np.float32]]:
        try:
            interpreter.set_tensor(self._input, crop[np.newaxis])
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in self._outputs]  # copies
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the TFLite model cannot be run: {error}") from None
        except SystemError:
            raise RuntimeMissing(_NUMPY_2) from None


def open_model(data: bytes) -> TfliteRuntime:
    """Opens a model from its bytes.

    Raises:
        ModelError: They are not a model that takes batches of crops.
    """
    return TfliteRuntime(data)


def _interpreter(data: bytes) -> Any:
    """Opens an interpreter.

    The first of a process prints "INFO: Created TensorFlow Lite XNNPACK delegate for CPU." on
    standard error. LiteRT has no switch for that; the command's workers have no standard error.
    """
    try:
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"the TFLite model cannot be used: {error}") from None
    except SystemError:
        raise RuntimeMissing(_NUMPY_2) from None
    return interpreter
