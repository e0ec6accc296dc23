"""Compares the formats of a gender classifier: Keras, TFLite, ONNX and the float32 variant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.convert.formats import FORMATS, TITLES, Format
from image_gender_classifier.imaging.pixels import Pixels

MAX_ACCURACY_LOSS = 0.005  # against Keras; a loss of one crop is always accepted
_TOLERANCE = 1e-3  # in crops; allows for rounding errors of the accuracies


@dataclass(frozen=True, slots=True)
class Comparison:
    """Accuracies of a gender classifier's formats on the same crops, and differences of logits.

    Attributes:
        crops: Number of crops.
        keras: Accuracy of the Keras model, 0 to 1.
        tflite: Accuracy of the TFLite file, 0 to 1.
        onnx: Accuracy of the ONNX file, 0 to 1; None if there is no ONNX file.
        steps: Largest absolute difference between the logits of TFLite and ONNX, in quantisation
            steps; 0 if there is no ONNX file.
        keras_difference: Largest absolute difference between the logits of TFLite and Keras.
        float32_difference: Largest absolute difference between the logits of TFLite and its float32
            variant; 0 if there is no variant.
    """

    crops: int
    keras: float
    tflite: float
    onnx: float | None
    steps: float
    keras_difference: float
    float32_difference: float

    def faults(self) -> dict[Format, list[str]]:
        """Returns the reasons not to publish each format; an empty list if it passes."""
        found = {
            name: [] if accuracy is None else self._find_accuracy_faults(TITLES[name], accuracy)
            for name, accuracy in zip(FORMATS, (self.tflite, self.onnx), strict=True)
        }
        if self.steps != 0:  # also true for NaN
            found["onnx"].append(f"ONNX differs from TFLite by {self.steps:.2f} quantisation steps")
        return found

    @property
    def float32_fault(self) -> str | None:
        """The reason not to publish the float32 variant; None if it passes."""
        if self.float32_difference == 0:
            return None
        return f"its logits differ from those of TFLite by {self.float32_difference:.3f}"

    def _find_accuracy_faults(self, title: str, accuracy: float) -> list[str]:
        """Returns the fault if the accuracy is too far below that of Keras, else an empty list."""
        loss = self.keras - accuracy
        if loss <= max(MAX_ACCURACY_LOSS, (1 + _TOLERANCE) / max(self.crops, 1)):
            return []
        return [f"{title}: accuracy is {100 * loss:.2f} percentage points below Keras"]

    def format_figures(self) -> str:
        """Returns the accuracies and the differences of logits as two lines of text."""
        onnx = difference = ""
        if self.onnx is not None:
            onnx = f", ONNX {100 * self.onnx:.2f} %"
            difference = f"TFLite and ONNX {self.steps:.2f} quantisation steps, "
        return (
            f"accuracy on {self.crops} crops: Keras {100 * self.keras:.2f} %, "
            f"TFLite {100 * self.tflite:.2f} %{onnx}\n"
            f"largest difference: {difference}TFLite and Keras {self.keras_difference:.3f} logits, "
            f"TFLite and its float32 variant {self.float32_difference:.3f} logits"
        )


def compare_formats(
    crops: Pixels,
    positive: npt.NDArray[np.bool_],
    *,
    keras: Classifier,
    tflite: Classifier,
    onnx: Classifier | None,
    float32: Classifier | None,
    step: float,
) -> Comparison:
    """Compares the formats of a gender classifier, each with the calibration in its own entry.

    Args:
        crops: uint8 RGB, N x S x S x 3, N > 0.
        positive: bool, N; True for crops of the positive gender.
        keras: The trained model.
        tflite: The TFLite file.
        onnx: The ONNX file; None if there is none.
        float32: The float32 variant of the TFLite file; None if there is none.
        step: Quantisation step of the logit in the TFLite file.

    Returns:
        Accuracies, with test-time augmentation, and differences of logits, without it.

    Raises:
        ModelError: A model cannot be run, or its output is not one finite number per crop.
    """
    keras_logits, tflite_logits, onnx_logits, float32_logits = (
        model.compute_logits(crops) for model in (keras, tflite, onnx or tflite, float32 or tflite)
    )

    def accuracy(model: Classifier) -> float:
        return float(np.mean((model.compute_probabilities(crops) >= 0.5) == positive))

    return Comparison(
        crops=len(crops),
        keras=accuracy(keras),
        tflite=accuracy(tflite),
        onnx=None if onnx is None else accuracy(onnx),
        steps=float(np.abs(tflite_logits - onnx_logits).max() / step),
        keras_difference=float(np.abs(tflite_logits - keras_logits).max()),
        float32_difference=float(np.abs(tflite_logits - float32_logits).max()),
    )
