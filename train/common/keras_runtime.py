"""A runtime for `.keras` files with the interface of the runtimes in `infer/`.

Takes uint8 crops and casts them to float32 pixels (0 to 255). Importing this module imports
TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from image_gender_classifier import manifest
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import ModelEntry

BATCH = 64


class KerasRuntime:
    """Runs a Keras model that takes float32 RGB pixels, N x S x S x 3."""

    def __init__(self, model: keras.Model) -> None:
        _, height, width, channels = model.input_shape
        self.input_shape = (int(height), int(width), int(channels))
        self.input_dtype = "uint8"
        self.outputs = len(model.outputs)
        self.model = model

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model on crops (uint8, N x H x W x C); gives each output (float32, N x …)."""
        starts = range(0, len(crops), BATCH)
        answers = [self._run_batch(crops[start : start + BATCH]) for start in starts]
        return tuple(np.concatenate(output) for output in zip(*answers, strict=True))

    def _run_batch(self, crops: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        outputs = self.model.predict_on_batch(crops.astype(np.float32))
        return [np.asarray(output, np.float32) for output in keras.tree.flatten(outputs)]


def open_model(path: Path) -> KerasRuntime:
    """Opens a `.keras` file.

    Raises:
        ModelError: Keras cannot load the file, or the model does not take batches of crops.
    """
    try:
        return KerasRuntime(keras.models.load_model(path, compile=False))
    except Exception as error:  # Keras's errors have no narrower base class
        raise ModelError(f"{path}: Keras cannot use it ({error})") from None


def open_known(path: Path) -> tuple[KerasRuntime, ModelEntry]:
    """Opens a gender classifier that its manifest lists; gives it with its entry.

    Raises:
        ModelError: The model or its manifest is missing, damaged or incompatible.
    """
    entry = manifest.find_model(path)
    manifest.read_verified(path.parent, entry)
    runtime = open_model(path)
    if runtime.outputs != 1:
        raise ModelError(
            f"{path}: has {runtime.outputs} outputs, but a classifier has one; give the model "
            "without its auxiliary heads"
        )
    return runtime, entry


def open_classifier(path: Path, threshold: float | None = None) -> Classifier:
    """Opens a gender classifier as `loading.open_classifier` does.

    Raises:
        ModelError: The model or its manifest is missing, damaged or incompatible.
    """
    return Classifier(*open_known(path), threshold)
