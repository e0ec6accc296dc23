"""ONNX Runtime."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from image_gender_classifier.errors import ModelError

_DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(int8)": "int8"}
_LOG_ERRORS_ONLY = 3
ROUNDS_ONCE = True


class OnnxRuntime:
    """An ONNX model that takes one crop a call, as its int8 TFLite original does.

    A session may run in several threads at once.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        (details,) = session.get_inputs()
        _, height, width, channels = details.shape
        self.input_shape = (int(height), int(width), int(channels))
        self.input_dtype = _DTYPES.get(details.type, details.type)
        self._session = session
        self._input = details.name

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops (uint8, N x H x W x C); gives each output (float32, N x …)."""
        try:
            answers = [self._session.run(None, {self._input: crop[np.newaxis]}) for crop in crops]
        except Exception as error:  # ONNX Runtime's errors share no base class but this
            raise ModelError(f"the ONNX model cannot be run: {error}") from None
        return tuple(np.concatenate(output) for output in zip(*answers, strict=True))


def open_model(data: bytes) -> OnnxRuntime:
    """Opens a model from its bytes.

    Raises:
        ModelError: They are not a model that takes batches of crops.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_ERRORS_ONLY
    try:
        return OnnxRuntime(ort.InferenceSession(data, options, providers=["CPUExecutionProvider"]))
    except Exception as error:  # ONNX Runtime's errors share no base class but this
        raise ModelError(f"the ONNX model cannot be used: {error}") from None
