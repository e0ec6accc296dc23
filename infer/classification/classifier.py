"""From crops to perceived gender: one network call, then calibration and threshold."""

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

# As many as every output gives: what is written is what was compared with the threshold.
DECIMALS = 3
_LARGEST_SCORE = 700.0  # exp overflows above 709


class Classification(NamedTuple):
    """What the classifier says of one crop.

    Attributes:
        likelier: The likelier gender, whatever the threshold.
        confidence: Its calibrated probability, 0.5 to 1, to three decimals.
        certain: Whether the confidence reaches the threshold.
    """

    likelier: BinaryGender
    confidence: float
    certain: bool


class Classifier:
    """A perceived-gender network with its manifest entry.

    Raises:
        ModelError: The network is not what its entry says.
    """

    def __init__(self, runtime: Runtime, entry: ModelEntry, threshold: float | None = None) -> None:
        if runtime.input_shape != entry.input_shape or runtime.input_dtype != entry.input_dtype:
            raise ModelError(
                f"{entry.file}: takes {runtime.input_dtype} {runtime.input_shape}, but its "
                f"manifest says {entry.input_dtype} {entry.input_shape}; convert the model again"
            )
        size = entry.input_shape[0]
        form = (entry.input_shape, entry.input_dtype, entry.colour_order)
        if form != ((size, size, 3), "uint8", "RGB"):
            raise ModelError(
                f"{entry.file}: wants {entry.colour_order} {entry.input_dtype} "
                f"{entry.input_shape}, but is given uint8 square RGB crops; convert the model again"
            )
        self.crop_size = size
        self.entry = entry
        self.threshold = entry.threshold if threshold is None else threshold
        self._runtime = runtime

    @property
    def cache_key(self) -> tuple[object, ...]:
        """What of model and options decides a verdict."""
        entry = self.entry
        reading = entry.calibration, entry.tta_threshold, entry.positive
        return entry.sha256, *reading, self.threshold

    def warm_up(self) -> None:
        """Runs the network once, so that a broken one is told before the first picture.

        Raises:
            ModelError: The network cannot be run or gives something else than a logit.
        """
        self.logits(np.zeros((1, self.crop_size, self.crop_size, 3), np.uint8))

    def logits(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """Runs the network.

        Args:
            crops: uint8 RGB, N x S x S x 3, with S the crop size.

        Returns:
            float32, N: positive speaks for the entry's positive gender.

        Raises:
            ModelError: The network gives something else.
        """
        outputs = self._runtime.run(crops)
        if len(outputs) != 1 or outputs[0].size != len(crops) or not np.isfinite(outputs[0]).all():
            raise ModelError(
                f"{self.entry.file}: gives something else than one finite number a crop; "
                "convert the model again"
            )
        return outputs[0].reshape(-1)

    def averaged_logits(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """Runs the network, and where it doubts, on the mirror image too: the mean counts.

        Arguments, result and errors as for `logits`.
        """
        logits = self.logits(crops)
        (doubtful,) = needs_tta(logits, self.entry.calibration, self.entry.tta_threshold).nonzero()
        if len(doubtful):
            logits = logits.copy()  # it may be the runtime's own memory
            logits[doubtful] = (logits[doubtful] + self.logits(mirrored(crops[doubtful]))) / 2
        return logits

    def probabilities(self, crops: Pixels) -> npt.NDArray[np.float64]:
        """Gives the calibrated probability of the positive gender for each crop (float64, N).

        Arguments and errors as for `logits`.
        """
        return _probabilities(self.averaged_logits(crops), self.entry.calibration)

    def classify(self, crops: Pixels) -> list[Classification]:
        """Judges crops; arguments and errors as for `logits`."""
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
    """Tells which logits (float32, N) give a confidence below a bound (0 to 1)."""
    if bound <= 0.5:
        return np.zeros(len(logits), np.bool_)
    # Scores are compared rather than probabilities: it happens for every picture.
    score = math.log(bound / (1 - bound)) if bound < 1 else math.inf
    doubtful: npt.NDArray[np.bool_] = abs(calibration.slope * logits + calibration.bias) < score
    return doubtful


def confidences(
    logits: npt.NDArray[np.float32], calibration: Calibration
) -> npt.NDArray[np.float64]:
    """Gives the calibrated probability (float64, N, 0.5 to 1) of the likelier gender."""
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
