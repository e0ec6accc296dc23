"""Runs models with ONNX Runtime."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from image_gender_classifier.runtimes.failures import make_model_error
from image_gender_classifier.runtimes.pixel_groups import find_pixel_groups

INPUT_SIZE = "input_size"
"""Metadata key of a model with an input of any size: the usual height and width of the tensor."""

_DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(int8)": "int8"}
_LOG_ERRORS_ONLY = 3


class OnnxRuntime:
    """An ONNX model with a batch size of 1, like the TFLite file it comes from. Thread-safe.

    Args:
        session: The opened model, with one input of 1 x H x W x C. If H and W are names, the
            metadata must have `INPUT_SIZE`.

    Attributes:
        input_shape: Height, width and channels of the usual input in pixels.
        input_dtype: NumPy name of the input dtype, such as `uint8`.

    Raises:
        ValueError, TypeError: The model has another number of inputs or another input shape.
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        (details,) = session.get_inputs()
        _, height, width, channels = details.shape
        if isinstance(height, str):
            height, width = _read_usual_size(session)
        self._groups = find_pixel_groups(int(height), int(width), int(channels))
        self.input_shape = self._groups.pixels
        self.input_dtype = _DTYPES.get(details.type, details.type)
        self._session = session
        self._input = details.name

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops.

        Args:
            crops: uint8, N x H x W x C, with N at least 1; of another size than `input_shape` only
                for models that allow it.

        Returns:
            One array for each output of the model, float32, N x ...

        Raises:
            ModelError: ONNX Runtime cannot run the model.
            MemoryError: Memory is short.
        """
        try:
            inputs = [{self._input: self._groups.pack(crop)} for crop in crops]
            results = [self._session.run(None, one) for one in inputs]
        except Exception as error:  # ONNX Runtime's exceptions have no other common base
            failure = "the ONNX model cannot be run"
            raise make_model_error(failure, "convert it again", error) from error
        if len(results) == 1:
            return tuple(results[0])
        return tuple(np.concatenate(output) for output in zip(*results, strict=True))


def _read_usual_size(session: ort.InferenceSession) -> tuple[int, int]:
    """Returns the usual height and width of an input of any size; raises ValueError without it."""
    size = session.get_modelmeta().custom_metadata_map.get(INPUT_SIZE, "").split()
    if len(size) != 2 or not all(map(str.isdecimal, size)):
        raise ValueError(f"its height and width are symbolic, but its metadata has no {INPUT_SIZE}")
    return int(size[0]), int(size[1])


def open_model(data: bytes) -> OnnxRuntime:
    """Opens an ONNX model, to run in one thread, and returns it.

    Args:
        data: Content of the model file.

    Raises:
        ModelError: ONNX Runtime does not accept the content, or the model does not have exactly one
            input, of N x H x W x C.
        MemoryError: Memory is short.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_ERRORS_ONLY
    try:
        return OnnxRuntime(ort.InferenceSession(data, options, providers=["CPUExecutionProvider"]))
    except Exception as error:  # ONNX Runtime's exceptions have no other common base
        remedy = "upgrade onnxruntime, or convert the model again"
        raise make_model_error("the ONNX model cannot be opened", remedy, error) from error
