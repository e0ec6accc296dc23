"""Opens a model separately in each process, for runtimes that are not fork-safe."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError
from image_gender_classifier.runtimes import Runtime


class PerProcessRuntime:
    """A model that each process opens at its first call of `run`. Thread-safe.

    Args:
        open_runtime: Opens the model.
        file: Name of the model file, for messages.
        input_shape: Height, width and channels of the input, from the manifest.
        input_dtype: NumPy name of the input dtype, from the manifest.

    Attributes:
        input_shape: See `Runtime`.
        input_dtype: See `Runtime`.
    """

    def __init__(
        self,
        open_runtime: Callable[[], Runtime],
        file: str,
        input_shape: tuple[int, int, int],
        input_dtype: str,
    ) -> None:
        self.input_shape = input_shape
        self.input_dtype = input_dtype
        self._file = file
        self._open = open_runtime
        # By process ID. A child process keeps the model of its parent, because deleting it could
        # run a destructor that affects the parent's device. Each process has its own lock, because
        # a fork may copy a locked one.
        self._opened: dict[int, Runtime] = {}
        self._locks: dict[int, threading.Lock] = {}

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops (uint8, N x H x W x C, with N at least 1).

        Returns:
            One array for each output of the model, float32, N x ...

        Raises:
            ModelError: The runtime cannot open or run the model, or the shape or dtype of the input
                differs from the manifest.
            RuntimeMissing: The runtime does not work on this machine.
        """
        return self._open_in_this_process().run(crops)

    def _open_in_this_process(self) -> Runtime:
        """Returns the model of this process; opens it at the first call."""
        process = os.getpid()
        with self._locks.setdefault(process, threading.Lock()):
            if process not in self._opened:
                runtime = self._open()
                if (runtime.input_shape, runtime.input_dtype) != (
                    self.input_shape,
                    self.input_dtype,
                ):
                    raise ModelError(
                        f"{self._file}: the input is {runtime.input_dtype} {runtime.input_shape}, "
                        f"but its manifest says {self.input_dtype} {self.input_shape}; convert the "
                        "model again"
                    )
                self._opened[process] = runtime
            return self._opened[process]
