"""From crops to perceived gender: one network call, then calibration and threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError
from image_gender_classifier.faces import Pixels
from image_gender_classifier.manifest import ModelEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.verdict import BinaryGender


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the classifier says of one crop.

    Attributes:
        likelier: The likelier gender, whatever the threshold.
        confidence: Its calibrated probability, 0.5 to 1.
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
                f"{entry.file}: takes {runtime.input_dtype} {runtime.input_shape}, but its manifest "
                f"says {entry.input_dtype} {entry.input_shape}; convert the model again"
            )
        self.crop_size = entry.input_shape[0]
        self.entry = entry
        self.threshold = entry.threshold if threshold is None else threshold
        self._runtime = runtime

    def logits(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """Runs the network.

        Args:
            crops: uint8 RGB, N x S x S x 3, with S the crop size.

        Returns:
            float32, N: positive speaks for the entry's positive gender.
        """
        (answers,) = self._runtime.run(crops)
        return answers.reshape(-1)

    def probabilities(self, crops: Pixels) -> npt.NDArray[np.float64]:
        """Gives the calibrated probability of the positive gender for each crop (float64, N)."""
        calibration = self.entry.calibration
        scores = calibration.slope * self.logits(crops).astype(np.float64) + calibration.bias
        return 1 / (1 + np.exp(-scores))

    def judge(self, crops: Pixels) -> list[Judgement]:
        """Judges crops (uint8 RGB, N x S x S x 3)."""
        return [self._judgement(float(p)) for p in self.probabilities(crops)]

    def _judgement(self, probability: float) -> Judgement:
        likelier = self.entry.positive if probability >= 0.5 else self.entry.negative
        confidence = max(probability, 1 - probability)
        return Judgement(likelier, confidence, confidence >= self.threshold)
