"""Runs models with LiteRT, or with tflite-runtime if LiteRT is not installed."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError, RuntimeMissing
from image_gender_classifier.runtimes.amx import refuse_amx
from image_gender_classifier.runtimes.failures import make_model_error
from image_gender_classifier.runtimes.pixel_groups import find_pixel_groups
from image_gender_classifier.system.pool import Pool

try:
    from ai_edge_litert.interpreter import Interpreter

    # XNNPACK, whose int8 kernels round once, reads this file on Linux. A sandbox may hide it: then
    # LiteRT runs its own kernels, which round twice.
    SINGLE_ROUNDING = sys.platform != "linux" or os.access("/proc/cpuinfo", os.R_OK)
except ImportError as litert_error:
    try:
        from tflite_runtime.interpreter import Interpreter

        SINGLE_ROUNDING = False
    except ImportError:
        raise litert_error from None

_NUMPY_2 = (
    "tflite-runtime works with NumPy 1 only; run: pip install ai-edge-litert "
    "(or: pip install 'numpy<2' 'opencv-python-headless<4.12')"
)
_SIGN = np.uint8(0x80)
_MOST_SIZES = 4  # besides the usual one; each takes up to 2 MB


class TfliteRuntime:
    """A TFLite model with a batch size of 1. Thread-safe.

    A TFLite interpreter is not thread-safe, so threads use a pool of them. Inputs of several sizes
    have interpreters of their own: resizing the input takes as long as a run of a small network.

    Args:
        data: Content of the model file.

    Attributes:
        input_shape: Height, width and channels of the usual input in pixels.
        input_dtype: NumPy name of the dtype that `run` accepts, such as `uint8`; also for a model
            with an int8 input, whose pixels are 128 less.

    Raises:
        ModelError, MemoryError, RuntimeMissing: See `open_model`.
    """

    def __init__(self, data: bytes) -> None:
        self._pool = Pool(lambda: _Interpreters(data))
        self._pool.use(lambda interpreters: self._read_signature(interpreters.usual))

    def _read_signature(self, interpreter: Any) -> None:
        """Sets the attributes that describe the input and the outputs.

        Raises:
            ModelError: The model does not have exactly one input, of N x H x W x C.
        """
        try:
            (details,) = interpreter.get_input_details()
            _, height, width, channels = (int(side) for side in details["shape"])
        except ValueError as error:  # the number of inputs or dimensions differs
            raise ModelError(
                f"the TFLite model needs one input of N x H x W x C ({error}); convert it again"
            ) from error
        self._groups = find_pixel_groups(height, width, channels)
        self.input_shape = self._groups.pixels
        self._is_signed = details["dtype"] == np.int8
        self.input_dtype = "uint8" if self._is_signed else np.dtype(details["dtype"]).name
        self._input = details["index"]
        self._outputs = [output["index"] for output in interpreter.get_output_details()]

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops.

        Args:
            crops: uint8, N x H x W x C, with N at least 1; of another size than `input_shape` only
                for models that allow it.

        Returns:
            One array for each output of the model, float32, N x ...

        Raises:
            ModelError: LiteRT or tflite-runtime cannot run the model.
            MemoryError: Memory is short.
            RuntimeMissing: tflite-runtime is installed with NumPy 2.
        """
        results = self._pool.use(
            lambda interpreters: [self._run_one(interpreters, crop) for crop in crops]
        )
        if len(results) == 1:
            return tuple(results[0])
        return tuple(np.concatenate(output) for output in zip(*results, strict=True))

    def _run_one(
        self, interpreters: _Interpreters, crop: npt.NDArray[np.uint8]
    ) -> list[npt.NDArray[np.float32]]:
        """Runs the model on one crop (uint8, H x W x C) and returns its outputs (1 x ...)."""
        try:
            pixels = self._groups.pack(crop)
            if self._is_signed:
                pixels = (pixels ^ _SIGN).view(np.int8)  # minus 128
            interpreter = interpreters.get(self._input, pixels.shape)
            interpreter.set_tensor(self._input, pixels)
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in self._outputs]  # copies
        except (ValueError, RuntimeError) as error:
            failure = "the TFLite model cannot be run"
            raise make_model_error(failure, "convert it again", error) from error
        except SystemError as error:
            raise RuntimeMissing(_NUMPY_2) from error


class _Interpreters:
    """Interpreters of one model, for the usual size of the input and those used last.

    Args:
        data: Content of the model file.

    Attributes:
        usual: The interpreter for the usual size.

    Raises:
        ModelError, MemoryError, RuntimeMissing: See `open_model`.
    """

    def __init__(self, data: bytes) -> None:
        self.usual = _open_interpreter(data)
        self._data = data
        inputs = self.usual.get_input_details()
        self._usual_shape = tuple(map(int, inputs[0]["shape"])) if inputs else ()
        self._others: dict[tuple[int, ...], Any] = {}  # by shape; the one used last is the last

    def get(self, tensor: int, shape: tuple[int, ...]) -> Any:
        """Returns an interpreter whose input has a shape.

        Args:
            tensor: Index of the input.
            shape: The shape.

        Raises:
            ValueError, RuntimeError: The model does not allow it.
            SystemError: tflite-runtime is installed with NumPy 2.
        """
        if shape == self._usual_shape:
            return self.usual
        # An interpreter whose resizing fails, or is interrupted, has no memory: it is not kept.
        interpreter = self._others.pop(shape, None)
        if interpreter is None:
            if len(self._others) < _MOST_SIZES:
                interpreter = _load_interpreter(self._data)
            else:
                interpreter = self._others.pop(next(iter(self._others)))
            interpreter.resize_tensor_input(tensor, shape)
            interpreter.allocate_tensors()
        self._others[shape] = interpreter
        return interpreter


def open_model(data: bytes) -> TfliteRuntime:
    """Opens a TFLite model, to run in one thread, and returns it.

    Args:
        data: Content of the model file.

    Raises:
        ModelError: The runtime does not accept the content, or the model does not have exactly one
            input, of N x H x W x C.
        MemoryError: Memory is short.
        RuntimeMissing: tflite-runtime is installed with NumPy 2.
    """
    return TfliteRuntime(data)


def _open_interpreter(data: bytes) -> Any:
    """Returns an interpreter for the usual size of the input; exceptions as for `open_model`.

    LiteRT prints "INFO: Created TensorFlow Lite XNNPACK delegate for CPU." to standard error once
    per process, and no option prevents it. Worker processes discard their standard error.
    """
    try:
        with refuse_amx():
            interpreter = _load_interpreter(data)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        failure = "the TFLite model cannot be opened"
        raise make_model_error(failure, "convert it again", error) from error
    except SystemError as error:
        raise RuntimeMissing(_NUMPY_2) from error
    return interpreter


def _load_interpreter(data: bytes) -> Any:
    """Returns an interpreter with one thread, not yet ready for a size of its input."""
    return Interpreter(model_content=data, num_threads=1)
