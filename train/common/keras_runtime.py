"""A runtime for `.keras` files with the interface of the runtimes in `infer/runtimes/`.

Importing this module imports TensorFlow.
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
from image_gender_classifier.train.common.run_record import check_run_finished

BATCH = 64


class KerasRuntime:
    """Runs a Keras model; has the interface of `runtimes.Runtime`.

    Args:
        model: A model whose only input is N x H x W x C, float32 pixels from 0 to 255.
        input_shape: Usual height, width and channels of an input that may have any height and
            width; None if the model has fixed ones.

    Attributes:
        input_shape: Height, width and channels of the input.
        input_dtype: "uint8": the dtype that `run` accepts.
        outputs: Number of outputs.
        model: The model.
    """

    def __init__(self, model: keras.Model, input_shape: tuple[int, int, int] | None = None) -> None:
        height, width, channels = input_shape or model.input_shape[1:]
        self.input_shape = (int(height), int(width), int(channels))
        self.input_dtype = "uint8"
        self.outputs = len(model.outputs)
        self.model = model

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Runs the model in batches.

        Args:
            crops: uint8, N x H x W x C, N > 0.

        Returns:
            One array for each output of the model, float32, N x ...
        """
        starts = range(0, len(crops), BATCH)
        batches = [self._run_batch(crops[start : start + BATCH]) for start in starts]
        return tuple(np.concatenate(output) for output in zip(*batches, strict=True))

    def _run_batch(self, crops: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        outputs = self.model.predict_on_batch(crops.astype(np.float32))
        return [np.asarray(output, np.float32) for output in keras.tree.flatten(outputs)]


def open_keras_model(path: Path) -> KerasRuntime:
    """Loads a `.keras` file and returns a runtime for it.

    Raises:
        ModelError: Keras cannot load the file, or the model's input is not N x H x W x C.
    """
    try:
        return KerasRuntime(keras.models.load_model(path, compile=False))
    except Exception as error:  # Keras's errors have no narrower base class
        raise ModelError(
            f"{path}: Keras cannot load this model ({error}); train it again or restore the file"
        ) from None


def open_keras_with_entry(path: Path) -> tuple[KerasRuntime, ModelEntry]:
    """Opens a `.keras` gender classifier listed in the manifest of its folder.

    Returns:
        The runtime and the manifest entry.

    Raises:
        ModelError: The model or its manifest is missing or corrupt; the training did not finish;
            the manifest does not list the model; or the model has another number of outputs than
            its entry says.
    """
    check_run_finished(path)
    entry = manifest.find_model(path)
    manifest.read_verified(path.parent, entry)
    runtime = open_keras_model(path)
    if runtime.outputs != entry.outputs:
        raise ModelError(
            f"{path}: the model has {runtime.outputs} outputs instead of {entry.outputs}; use "
            "gender.keras instead of a checkpoint, which has auxiliary heads"
        )
    return runtime, entry


def open_keras_classifier(path: Path, threshold: float | None = None) -> Classifier:
    """Opens a `.keras` gender classifier listed in the manifest of its folder.

    Args:
        path: The `.keras` file.
        threshold: Confidence (0 to 1) below which a crop is `uncertain`; None for the value in the
            manifest.

    Returns:
        The classifier.

    Raises:
        ModelError: The model or its manifest is missing, corrupt or incompatible.
    """
    return Classifier(*open_keras_with_entry(path), threshold)
