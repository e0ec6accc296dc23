"""Classifies crops: network, test-time augmentation, calibration and threshold."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.results import BinaryGender
from image_gender_classifier.runtimes import Runtime

# Of a confidence in every output. The threshold applies to the rounded value.
DECIMALS = 3
_LARGEST_SCORE = 700.0  # exp overflows above 709


class Classification(NamedTuple):
    """The classification of one crop.

    Attributes:
        likelier: The more likely gender, regardless of the threshold.
        confidence: Its calibrated probability, 0.5 to 1, rounded to three decimals.
        certain: Whether the confidence reaches the threshold.
    """

    likelier: BinaryGender
    confidence: float
    certain: bool


class Classifier:
    """A perceived-gender network with its manifest entry. Thread-safe.

    Args:
        runtime: The network.
        entry: Its manifest entry.
        threshold: Confidence below which a prediction is `uncertain`; the entry's by default.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(self, runtime: Runtime, entry: ModelEntry, threshold: float | None = None) -> None:
        if runtime.input_shape != entry.input_shape or runtime.input_dtype != entry.input_dtype:
            raise ModelError(
                f"{entry.file}: takes {runtime.input_dtype} {runtime.input_shape}, but its "
                f"manifest says {entry.input_dtype} {entry.input_shape}; convert the model again"
            )
        size = entry.input_shape[0]
        signature = (entry.input_shape, entry.input_dtype, entry.colour_order)
        if signature != ((size, size, 3), "uint8", "RGB"):
            raise ModelError(
                f"{entry.file}: takes {entry.colour_order} {entry.input_dtype} "
                f"{entry.input_shape}, but square uint8 RGB crops are required; convert the model "
                "again"
            )
        self.crop_size = size
        self.entry = entry
        self.threshold = entry.threshold if threshold is None else threshold
        self._runtime = runtime

    @property
    def cache_key(self) -> tuple[object, ...]:
        """The values of model and options that predictions depend on."""
        entry = self.entry
        reading = entry.calibration, entry.tta_threshold, entry.positive
        return entry.sha256, *reading, self.threshold

    def warm_up(self) -> None:
        """Runs the network once, to fail early on a broken model.

        Raises:
            ModelError: The runtime cannot run the network, or its output is not one logit.
        """
        self.logits(np.zeros((1, self.crop_size, self.crop_size, 3), np.uint8))

    def logits(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """Runs the network.

        Args:
            crops: uint8 RGB, N x S x S x 3, with S the crop size.

        Returns:
            float32, N: above 0 for the entry's positive gender.

        Raises:
            ModelError: The output is not one finite number per crop.
        """
        outputs = self._runtime.run(crops)
        if len(outputs) != 1 or outputs[0].size != len(crops) or not np.isfinite(outputs[0]).all():
            raise ModelError(
                f"{self.entry.file}: its output is not one finite number per crop; convert the "
                "model again"
            )
        return outputs[0].reshape(-1)

    def averaged_logits(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """Runs the network with test-time augmentation for uncertain crops.

        For these the result is the mean of the logits of the crop and its mirror image. Arguments,
        result and errors as for `logits`.
        """
        logits = self.logits(crops)
        (uncertain,) = needs_tta(logits, self.entry.calibration, self.entry.tta_threshold).nonzero()
        if len(uncertain):
            logits = logits.copy()  # may be memory of the runtime
            logits[uncertain] = (logits[uncertain] + self.logits(mirrored(crops[uncertain]))) / 2
        return logits

    def probabilities(self, crops: Pixels) -> npt.NDArray[np.float64]:
        """Returns the calibrated probability of the positive gender for each crop (float64, N).

        Arguments and errors as for `logits`.
        """
        return _probabilities(self.averaged_logits(crops), self.entry.calibration)

    def classify(self, crops: Pixels) -> list[Classification]:
        """Classifies crops; arguments and errors as for `logits`."""
        return [self._classification(float(p)) for p in self.probabilities(crops)]

    def _classification(self, probability: float) -> Classification:
        likelier = self.entry.positive if probability >= 0.5 else self.entry.negative
        confidence = round(max(probability, 1 - probability), DECIMALS)
        return Classification(likelier, confidence, confidence >= self.threshold)


def mirrored(crops: Pixels) -> Pixels:
    """Mirrors crops (uint8 RGB, N x S x S x 3), left to right."""
    return np.ascontiguousarray(crops[:, :, ::-1])


def needs_tta(
    logits: npt.NDArray[np.float32], calibration: Calibration, bound: float
) -> npt.NDArray[np.bool_]:
    """Returns which logits (float32, N) have a confidence below a bound (0 to 1)."""
    if bound <= 0.5:
        return np.zeros(len(logits), np.bool_)
    # Comparing scores instead of probabilities avoids an exponential per picture.
    score = math.log(bound / (1 - bound)) if bound < 1 else math.inf
    uncertain: npt.NDArray[np.bool_] = abs(calibration.slope * logits + calibration.bias) < score
    return uncertain


def confidences(
    logits: npt.NDArray[np.float32], calibration: Calibration
) -> npt.NDArray[np.float64]:
    """Returns the calibrated probability (float64, N, 0.5 to 1) of the more likely gender."""
    probabilities = _probabilities(logits, calibration)
    return np.maximum(probabilities, 1 - probabilities)


def _probabilities(
    logits: npt.NDArray[np.float32], calibration: Calibration
) -> npt.NDArray[np.float64]:
    scores = calibration.slope * logits.astype(np.float64) + calibration.bias
    probabilities: npt.NDArray[np.float64] = 1 / (
        1 + np.exp(-np.clip(scores, -_LARGEST_SCORE, _LARGEST_SCORE))
    )
    return probabilities
