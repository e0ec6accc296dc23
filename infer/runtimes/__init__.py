"""Inference runtimes with one interface: uint8 pictures in, float32 arrays out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.runtimes.registry import RUNTIMES
from image_gender_classifier.system.memory import is_short_for_library

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Runtime(Protocol):
    """Interface of an opened model. Thread-safe.

    Attributes:
        input_shape: Height, width and channels of the usual input in pixels.
        input_dtype: NumPy name of the input dtype, such as `uint8`.
    """

    input_shape: tuple[int, int, int]
    input_dtype: str

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model.

        Args:
            crops: uint8, N x H x W x C, with N at least 1; of another size than `input_shape` only
                for models that allow it (`FaceDetectorEntry.largest_input`).

        Returns:
            One array for each output of the model, float32, N x ...

        Raises:
            ModelError: The runtime cannot run the model.
            MemoryError: Memory is short; the model may be intact.
            RuntimeMissing: The runtime does not work on this machine, for example because of the
                installed NumPy.
        """
        ...


def open_model(name: str, data: bytes) -> Runtime:
    """Opens a model with a runtime and returns it.

    The model runs in one thread, because the command runs a worker process per core.

    Args:
        name: Name of a runtime in the registry that runs the format of the model.
        data: Content of the model file.

    Raises:
        RuntimeMissing: The runtime is not installed, cannot be loaded or does not work here.
        ModelError: The runtime does not accept the model.
        MemoryError: Memory is short; the model may be intact.
    """
    runtime: Runtime = load_module(name).open_model(data)
    return runtime


def rounds_once(name: str) -> bool:
    """Returns whether the int8 kernels of a runtime round each sum once when they requantise it.

    LiteRT rounds once, tflite-runtime twice, so the outputs of the same int8 model differ.

    Args:
        name: Name of a runtime in the registry.

    Raises:
        RuntimeMissing: The runtime is not installed or cannot be loaded.
    """
    known = RUNTIMES[name].single_rounding
    once: bool = load_module(name).SINGLE_ROUNDING if known is None else known
    return once


def load_module(name: str) -> Any:
    """Imports the module of a runtime and returns it.

    Args:
        name: Name of a runtime in the registry.

    Raises:
        RuntimeMissing: The runtime is not installed or cannot be loaded.
        MemoryError: Memory is short for it.
    """
    entry = RUNTIMES[name]
    try:
        return importlib.import_module(entry.module)
    except (ImportError, OSError, AttributeError) as error:
        if is_short_for_library(error):
            raise MemoryError(f"the {name} runtime cannot be loaded ({error})") from error
        raise RuntimeMissing(
            f"the {name} runtime cannot be loaded ({error}); run: {entry.install}"
        ) from error
