"""LiteRT, or its predecessor tflite-runtime where that is what is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError, RuntimeMissing

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
    """A TFLite model that takes one crop a call."""

    def __init__(self, interpreter: Any) -> None:
        interpreter.allocate_tensors()
        (details,) = interpreter.get_input_details()
        _, height, width, channels = (int(side) for side in details["shape"])
        self.input_shape = (height, width, channels)
        self.input_dtype = np.dtype(details["dtype"]).name
        self._interpreter = interpreter
        self._input = details["index"]
        self._outputs = [output["index"] for output in interpreter.get_output_details()]

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops (uint8, N x H x W x C); gives each output (float32, N x …)."""
        answers = [self._run_one(crop) for crop in crops]
        return tuple(np.concatenate(output) for output in zip(*answers, strict=True))

    def _run_one(self, crop: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        try:
            self._interpreter.set_tensor(self._input, crop[np.newaxis])
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index) for index in self._outputs]
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"the TFLite model cannot be run: {error}") from None
        except SystemError:
            raise RuntimeMissing(_NUMPY_2) from None


def open_model(data: bytes) -> TfliteRuntime:
    """Opens a model from its bytes.

    The first of a process prints "INFO: Created TensorFlow Lite XNNPACK delegate for CPU." on
    standard error. LiteRT has no switch for that; the command's workers have no standard error.

    Raises:
        ModelError: They are not a model that takes batches of crops.
    """
    try:
        return TfliteRuntime(Interpreter(model_content=data, num_threads=1))
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"the TFLite model cannot be used: {error}") from None
    except SystemError:
        raise RuntimeMissing(_NUMPY_2) from None
