"""Predicts the gender of face crops: network, test-time augmentation, calibration, threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import (
    FACE_SHAPE,
    FRAME_SHAPE,
    Calibration,
    ModelEntry,
)
from image_gender_classifier.results import BinaryGender
from image_gender_classifier.runtimes import Runtime

# Decimals of a confidence in all outputs. The threshold is compared with the rounded value.
DECIMALS = 3
_LARGEST_SCORE = 700.0  # exp overflows above 709


class FrameCorrection(NamedTuple):
    """Where the frame of the face in a crop should be.

    Attributes:
        right: How far to the right of the crop, in its sides.
        down: Likewise, down.
        log_side: Natural logarithm of its side over the crop's.
    """

    right: float
    down: float
    log_side: float


class Classification(NamedTuple):
    """The classification of one crop.

    Attributes:
        gender: The more probable gender, even if its confidence is below the threshold.
        confidence: Calibrated probability of `gender`, 0.5 to 1, rounded to three decimals.
        certain: Whether the confidence reaches the threshold.
        correction: Corrects the frame of the crop; None if the network has no frame output.
    """

    gender: BinaryGender
    confidence: float
    certain: bool
    correction: FrameCorrection | None = None

    @property
    def p_female(self) -> float:
        """Calibrated probability (0 to 1) of `female`, rounded like the confidence."""
        if self.gender == "female":
            return self.confidence
        return round(1 - self.confidence, DECIMALS)


class _Outputs(NamedTuple):
    """The logits of crops (float32, N), and the frame output (float32, N x 3) if there is one."""

    logits: npt.NDArray[np.float32]
    frames: npt.NDArray[np.float32] | None


class Classifier:
    """Predicts the perceived gender of face crops with a network. Thread-safe.

    Args:
        runtime: The opened network.
        entry: Its manifest entry.
        threshold: Confidence below which a prediction is `uncertain`; None for the entry's.

    Attributes:
        crop_size: Side of a crop in pixels.
        entry: The manifest entry.
        threshold: The threshold in use.

    Raises:
        ModelError: The network does not match its entry.
    """

    def __init__(self, runtime: Runtime, entry: ModelEntry, threshold: float | None = None) -> None:
        if runtime.input_shape != entry.input_shape or runtime.input_dtype != entry.input_dtype:
            raise ModelError(
                f"{entry.file}: the input is {runtime.input_dtype} {runtime.input_shape}, but its "
                f"manifest says {entry.input_dtype} {entry.input_shape}; convert the model again"
            )
        size = entry.input_shape[0]
        signature = (entry.input_shape, entry.input_dtype, entry.colour_order)
        if signature != ((size, size, 3), "uint8", "RGB"):
            raise ModelError(
                f"{entry.file}: the input is {entry.colour_order} {entry.input_dtype} "
                f"{entry.input_shape}, but square uint8 RGB crops are required; convert the model "
                "again"
            )
        self.crop_size = size
        self.entry = entry
        self.threshold = entry.threshold if threshold is None else threshold
        self._runtime = runtime

    @property
    def cache_key(self) -> tuple[object, ...]:
        """Model hash, calibration and thresholds, which affect predictions; part of `run`."""
        entry = self.entry
        decision = entry.calibration, entry.tta_threshold, entry.positive, entry.frame_output
        return entry.sha256, *decision, self.threshold

    def warm_up(self) -> None:
        """Runs the network once, to fail early on a broken model.

        Raises:
            ModelError, RuntimeMissing: See `compute_logits`.
        """
        self.compute_logits(np.zeros((1, self.crop_size, self.crop_size, 3), np.uint8))

    def compute_logits(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """Runs the network, without test-time augmentation.

        Args:
            crops: uint8 RGB, N x S x S x 3, with N at least 1 and S the crop size.

        Returns:
            Logits of the positive gender, float32, N, before calibration.

        Raises:
            ModelError: The runtime cannot run the network, or the gender output is not one finite
                number per crop.
            RuntimeMissing: See `Runtime.run`.
        """
        return self._run(crops).logits

    def compute_tta_logits(self, crops: Pixels) -> npt.NDArray[np.float32]:
        """Runs the network with test-time augmentation (TTA).

        Returns:
            Logits, float32, N: for a crop whose confidence is below the entry's `tta_threshold`,
            the mean logit of the crop and the flipped crop.

        Arguments and exceptions are those of `compute_logits`.
        """
        return self._run_with_tta(crops).logits

    def compute_probabilities(self, crops: Pixels) -> npt.NDArray[np.float64]:
        """Returns the calibrated probability of the positive gender for each crop (float64, N).

        Includes test-time augmentation. Arguments and exceptions are those of `compute_logits`.
        """
        return np.array(_calibrate(self.compute_tta_logits(crops), self.entry.calibration))

    def classify(self, crops: Pixels) -> list[Classification]:
        """Classifies crops, with test-time augmentation.

        Returns:
            One classification per crop, in order.

        Arguments and exceptions are those of `compute_logits`.
        """
        logits, frames = self._run_with_tta(crops)
        probabilities = _calibrate(logits, self.entry.calibration)
        corrections = self._make_corrections(frames, len(crops))
        return [
            self._classify_one(probability, correction)
            for probability, correction in zip(probabilities, corrections, strict=True)
        ]

    def _run_with_tta(self, crops: Pixels) -> _Outputs:
        """Runs the network with test-time augmentation, which changes the logits only."""
        logits, frames = self._run(crops)
        (uncertain,) = needs_tta(logits, self.entry.calibration, self.entry.tta_threshold).nonzero()
        if len(uncertain):
            logits = logits.copy()  # the array may belong to the runtime
            flipped, _ = self._run(flip_horizontally(crops[uncertain]))
            logits[uncertain] = (logits[uncertain] + flipped) / 2
        return _Outputs(logits, frames)

    def _run(self, crops: Pixels) -> _Outputs:
        """Runs the network; see `compute_logits`."""
        outputs = self._runtime.run(crops)  # in an order that depends on the format
        frames = next((output for output in outputs if output.shape[1:] == FRAME_SHAPE), None)
        genders = [
            output for output in outputs if output.shape[1:] not in (FACE_SHAPE, FRAME_SHAPE)
        ]
        if len(genders) != 1 or genders[0].size != len(crops) or not np.isfinite(genders[0]).all():
            raise ModelError(
                f"{self.entry.file}: the output is not one finite number per crop; convert the "
                "model again"
            )
        return _Outputs(genders[0].reshape(-1), frames)

    def _make_corrections(
        self, frames: npt.NDArray[np.float32] | None, count: int
    ) -> Sequence[FrameCorrection | None]:
        """Returns the correction of each of `count` crops, from the frame output (float32, N x 3).

        Raises:
            ModelError: The manifest and the network disagree, or a number is not finite.
        """
        units = self.entry.frame_output
        if units is None:
            return [None] * count
        rows = () if frames is None else frames.tolist()
        if len(rows) != count or not all(math.isfinite(sum(row)) for row in rows):
            raise ModelError(
                f"{self.entry.file}: the frame output is not three finite numbers per crop; "
                "convert the model again"
            )
        right, down, log_side = units
        return [FrameCorrection(x * right, y * down, side * log_side) for x, y, side in rows]

    def _classify_one(
        self, probability: float, correction: FrameCorrection | None
    ) -> Classification:
        """Returns the classification for a calibrated probability of the positive gender."""
        gender = self.entry.positive if probability >= 0.5 else self.entry.negative
        confidence = round(max(probability, 1 - probability), DECIMALS)
        return Classification(gender, confidence, confidence >= self.threshold, correction)


def flip_horizontally(crops: Pixels) -> Pixels:
    """Returns crops (uint8 RGB, N x S x S x 3) flipped left to right."""
    return np.ascontiguousarray(crops[:, :, ::-1])


def needs_tta(
    logits: npt.NDArray[np.float32], calibration: Calibration, bound: float
) -> npt.NDArray[np.bool_]:
    """Returns the boolean mask (N) of the crops that need test-time augmentation (TTA).

    Args:
        logits: float32, N.
        calibration: Maps the logits to probabilities.
        bound: Confidence (0 to 1) below which a crop needs TTA; 1 for all crops, 0.5 or less for
            none.
    """
    if bound <= 0.5:
        return np.zeros(len(logits), np.bool_)
    # Comparing logits instead of probabilities avoids an exponential per crop.
    score = math.log(bound / (1 - bound)) if bound < 1 else math.inf
    uncertain: npt.NDArray[np.bool_] = abs(calibration.slope * logits + calibration.bias) < score
    return uncertain


def compute_confidences(
    logits: npt.NDArray[np.float32], calibration: Calibration
) -> npt.NDArray[np.float64]:
    """Returns the calibrated probability of the more probable gender (float64, N, 0.5 to 1).

    Args:
        logits: float32, N.
        calibration: Maps the logits to probabilities.
    """
    probabilities: npt.NDArray[np.float64] = np.array(_calibrate(logits, calibration))
    return np.maximum(probabilities, 1 - probabilities)


def _calibrate(logits: npt.NDArray[np.float32], calibration: Calibration) -> list[float]:
    """Returns the probabilities of the positive gender by Platt scaling."""
    # A list, because for a single crop arithmetic with arrays takes ten times as long.
    scores = [calibration.slope * logit + calibration.bias for logit in logits.tolist()]
    return [1 / (1 + math.exp(min(-score, _LARGEST_SCORE))) for score in scores]
