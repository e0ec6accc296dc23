"""Compares the formats of a face refiner on labelled candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_gender_classifier.convert.export import Exported
from image_gender_classifier.convert.formats import FORMATS, TITLES, Format
from image_gender_classifier.convert.output_equality import (
    compute_fraction_differing,
    find_float32_fault,
    find_onnx_faults,
)
from image_gender_classifier.convert.verification import Verification
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import FaceRefinerEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.refiner.labels import Label

# Limits relative to the Keras model.
MAX_ACCURACY_LOSS = 0.01
MAX_EXTRA_ERROR = 0.005


@dataclass(frozen=True, slots=True)
class RefinementScore:
    """Scores of a face refiner on candidates.

    Attributes:
        accuracy: Fraction of the candidates that it takes correctly for a face or for something
            else (logits of 0 or more are faces), 0 to 1; 1 if there are none with a label.
        error: Mean absolute error of the three numbers of `Label` for faces; 0 if there is none.
    """

    accuracy: float
    error: float

    def __str__(self) -> str:
        return f"accuracy {100 * self.accuracy:.2f} %, mean frame error {100 * self.error:.2f} %"


def verify_candidates(
    exported: Exported[FaceRefinerEntry], views: Pixels, labels: Sequence[Label]
) -> Verification:
    """Compares accuracy, frame errors and output values of all formats.

    Args:
        exported: The network in all formats.
        views: Views of candidates (uint8 RGB, N x S x S x 3, N > 0).
        labels: What these show.

    Returns:
        The figures, and the reasons not to publish each format.

    Raises:
        ModelError: A model cannot be run.
    """
    models = [exported.keras[0], exported.tflite[0]]
    differing = 0.0
    if exported.onnx is not None:
        models.append(exported.onnx[0])
        differing = compute_fraction_differing(exported.tflite[0], exported.onnx[0], views)
    scores = [score_refiner(model, views, labels) for model in models]
    float32_fault = find_float32_fault(exported.tflite[0], exported.float32, views)
    lines = [
        f"{name}: {result}, on {len(labels)} candidates"
        for name, result in zip(("Keras", *TITLES.values()), scores, strict=False)
    ]
    if exported.onnx is not None:
        lines.append(f"TFLite and ONNX: {100 * differing:.4f} % of the output values differ")
    return Verification("\n".join(lines), _find_faults(scores, differing), float32_fault)


def score_refiner(model: Runtime, views: Pixels, labels: Sequence[Label]) -> RefinementScore:
    """Computes the accuracy and the mean frame error of a face refiner on candidates.

    Args:
        model: The network.
        views: Views of candidates (uint8 RGB, N x S x S x 3, N > 0).
        labels: What these show.

    Returns:
        The scores.

    Raises:
        ModelError: The network cannot be run, or its outputs are not those of a face refiner.
    """
    outputs = {output.shape[-1]: output for output in model.run(views)}
    if {channels: output.shape for channels, output in outputs.items()} != {
        channels: (len(views), channels) for channels in (1, 3)
    }:
        raise ModelError("the outputs are not those of a face refiner; train it again")
    right = [
        (logit >= 0) == label.is_face
        for logit, label in zip(outputs[1][:, 0], labels, strict=True)
        if label.is_face is not None
    ]
    errors = [
        np.abs(corrected - (label.right, label.down, label.log_side)).mean()
        for corrected, label in zip(outputs[3], labels, strict=True)
        if label.is_face
    ]
    return RefinementScore(
        float(np.mean(right)) if right else 1.0, float(np.mean(errors)) if errors else 0.0
    )


def _find_faults(scores: Sequence[RefinementScore], differing: float) -> dict[Format, list[str]]:
    """Returns the reasons not to publish each format; an empty list if it passes."""
    keras, *exports = scores
    found: dict[Format, list[str]] = {name: [] for name in FORMATS}
    for name, result in zip(FORMATS, exports, strict=False):  # ONNX may be missing
        title = TITLES[name]
        # `not <=` also rejects NaN.
        loss = keras.accuracy - result.accuracy
        if not loss <= MAX_ACCURACY_LOSS:
            found[name].append(
                f"{title}: accuracy is {100 * loss:.2f} percentage points below Keras"
            )
        extra = result.error - keras.error
        if not extra <= MAX_EXTRA_ERROR:
            found[name].append(
                f"{title}: mean frame error is {100 * extra:.2f} percentage points above Keras"
            )
    found["onnx"] += find_onnx_faults(differing)
    return found
