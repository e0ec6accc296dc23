"""The proof that the exported files answer as the trained model does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.convert.formats import FORMATS, TITLES, Format
from image_gender_classifier.imaging.pixels import Pixels

LARGEST_LOSS = 0.005  # of accuracy; one crop of a small set may be judged otherwise
LARGEST_STEPS = 1.0
SATURATES = "ONNX's sums saturate on x86-64 processors without VNNI, which answer otherwise then"
# A difference of one step, or of one crop, is not exactly one in floating point.
_ROUNDING = 1e-3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Keras, TFLite, ONNX and TFLite in float32 arithmetic on the same crops.

    Attributes:
        crops: How many crops were compared.
        keras: Accuracy of the Keras model, 0 to 1.
        tflite: Accuracy of the TFLite file.
        onnx: Accuracy of the ONNX file.
        steps: Largest difference of TFLite and ONNX, in quantisation steps of the logit.
        keras_difference: Largest difference of TFLite and Keras, in logits.
        in_float_difference: Largest difference of TFLite and its form in float32 arithmetic; 0
            where there is no such form.
    """

    crops: int
    keras: float
    tflite: float
    onnx: float
    steps: float
    keras_difference: float
    in_float_difference: float

    def faults(self) -> dict[Format, list[str]]:
        """Why each format must not be published; empty lists where they may."""
        found = {
            name: self._loss(TITLES[name], accuracy)
            for name, accuracy in zip(FORMATS, (self.tflite, self.onnx), strict=True)
        }
        # Asked this way round, so that what is no number is a fault as well.
        if not self.steps <= LARGEST_STEPS + _ROUNDING:
            found["onnx"].append(f"ONNX differs from TFLite by {self.steps:.2f} quantisation steps")
        return found

    @property
    def float32_fault(self) -> str | None:
        """Why the form in float32 must not be published; None where it may."""
        if self.in_float_difference == 0:
            return None
        return f"its answers differ from TFLite's by {self.in_float_difference:.3f} logits"

    def _loss(self, title: str, accuracy: float) -> list[str]:
        loss = self.keras - accuracy
        if loss <= max(LARGEST_LOSS, (1 + _ROUNDING) / max(self.crops, 1)):
            return []
        return [f"{title} loses {100 * loss:.2f} points against Keras"]

    def table(self) -> str:
        """The comparison as a person reads it."""
        return (
            f"accuracy on {self.crops} crops: Keras {100 * self.keras:.2f} %, "
            f"TFLite {100 * self.tflite:.2f} %, ONNX {100 * self.onnx:.2f} %\n"
            f"largest difference: TFLite and ONNX {self.steps:.2f} quantisation steps, "
            f"TFLite and Keras {self.keras_difference:.3f} logits, "
            f"TFLite and its form in float32 {self.in_float_difference:.3f} logits"
        )


def compare(
    crops: Pixels,
    positive: npt.NDArray[np.bool_],
    keras: Classifier,
    tflite: Classifier,
    onnx: Classifier,
    in_float: Classifier | None,
    *,
    step: float,
) -> Comparison:
    """Runs the four models side by side, each with the calibration that it is used with.

    Args:
        crops: uint8 RGB, N x S x S x 3.
        positive: bool, N: whether each is of the entries' positive gender.
        keras: The trained model.
        tflite: Its TFLite export.
        onnx: Its ONNX export.
        in_float: The TFLite export in float32 arithmetic, if there is one.
        step: Quantisation step of the exports' logit.

    Raises:
        ModelError: A model gives something else than one finite number a crop.
    """
    of_keras, of_tflite, of_onnx, of_float = (
        model.logits(crops) for model in (keras, tflite, onnx, in_float or tflite)
    )

    def accuracy(model: Classifier) -> float:
        return float(np.mean((model.probabilities(crops) >= 0.5) == positive))

    return Comparison(
        crops=len(crops),
        keras=accuracy(keras),
        tflite=accuracy(tflite),
        onnx=accuracy(onnx),
        steps=float(np.abs(of_tflite - of_onnx).max() / step),
        keras_difference=float(np.abs(of_tflite - of_keras).max()),
        in_float_difference=float(np.abs(of_tflite - of_float).max()),
    )
