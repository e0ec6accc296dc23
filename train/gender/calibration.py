"""Calibration: Platt scaling of the logits, and the confidence threshold of `uncertain`.

Both are fitted to held-out samples, if there are enough of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from image_gender_classifier.classification.classifier import (
    Classifier,
    compute_confidences,
    flip_horizontally,
    needs_tta,
)
from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.runtimes import Runtime
from image_gender_classifier.train.datasets.reading import format_count

# Fraction of the held-out samples whose confidence reaches the threshold.
CLASSIFIED_FRACTION = 0.86
# Confidence below which inference also classifies the flipped crop (test-time augmentation);
# docs/experiments.md compares other values.
TTA_THRESHOLD = 0.85
# With fewer crops the fit is too noisy, and the manifest entry keeps its values.
MIN_CROPS = 100
MIN_CROPS_PER_GENDER = 20
_MEASURED = "held_out"  # key in `ModelEntry.measured`
_STEPS = 50  # of Newton's method
_ROUNDS = 3  # calibration and the choice of crops for test-time augmentation depend on each other
_SMALLEST_STEP = 1e-12
_DIGITS = 4


def fit_platt_scaling(
    logits: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]
) -> Calibration:
    """Fits Platt scaling by maximum likelihood (Newton's method with step halving).

    The targets, which keep the fit finite for separable data, are those of Platt, "Probabilistic
    Outputs for Support Vector Machines" (1999). The step halving, which prevents divergence, is
    that of Lin, Lin and Weng, "A Note on Platt's Probabilistic Outputs for Support Vector Machines"
    (2007).

    Args:
        logits: float32, N, finite.
        positive: bool, N; True for samples of the positive gender.

    Returns:
        Slope and bias, rounded to 4 decimals. The slope is not above 0 if larger logits do not
        indicate the positive gender.
    """
    counts = positive.sum(), (~positive).sum()
    target = np.where(positive, (counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2))
    features = np.stack([logits, np.ones_like(logits)], axis=1).astype(np.float64)

    def loss(weights: npt.NDArray[np.float64]) -> float:
        scores = features @ weights
        return float(np.sum(np.logaddexp(0, scores) - target * scores))

    weights = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        # The logistic function without overflow.
        probability = 0.5 + 0.5 * np.tanh(features @ weights / 2)
        gradient = features.T @ (probability - target)
        spread = np.maximum(probability * (1 - probability), 1e-9)
        hessian = (features * spread[:, None]).T @ features + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > _SMALLEST_STEP:
            step /= 2
        weights = weights - step
    slope, bias = np.round(weights, _DIGITS)
    return Calibration(float(slope), float(bias))


def choose_threshold(confidence: npt.NDArray[np.float64], classified: float) -> float:
    """Returns the confidence threshold that a given fraction of the samples reaches.

    Args:
        confidence: Confidence of each sample, float64, N > 0, 0.5 to 1.
        classified: Fraction of the samples that reach the threshold, 0 to 1.

    Returns:
        The threshold, rounded down to 3 decimals.
    """
    return float(np.floor(np.quantile(confidence, 1 - classified) * 1000) / 1000)


def calibrate_entry(
    entry: ModelEntry, runtime: Runtime, crops: Pixels, positive: npt.NDArray[np.bool_]
) -> tuple[ModelEntry, str | None]:
    """Fits calibration and threshold to held-out crops, and measures the accuracy on them.

    Args:
        entry: Manifest entry of the model.
        runtime: The opened model.
        crops: Held-out crops without augmented copies (uint8 RGB, N x S x S x 3); may be empty.
        positive: bool, N; True for crops of the entry's positive gender.

    Returns:
        The updated entry, and the reason why its calibration and thresholds are unchanged (None if
        they were set). Without crops, the entry has no measured accuracy.

    Raises:
        ModelError: The model cannot be run, or its output is not one finite number per crop.
    """
    others = {name: value for name, value in entry.measured.items() if name != _MEASURED}
    if len(crops) == 0:
        return entry._replace(measured=others), _explain_too_few(positive)
    classifier = Classifier(runtime, entry)
    logits = classifier.compute_logits(crops)
    reason = _explain_too_few(positive)
    if reason is None:
        both = (logits + classifier.compute_logits(flip_horizontally(crops))) / 2
        calibration = fit_platt_scaling(logits, positive)
        for _ in range(_ROUNDS):
            averaged_logits = np.where(needs_tta(logits, calibration, TTA_THRESHOLD), both, logits)
            calibration = fit_platt_scaling(averaged_logits, positive)
        if calibration.slope > 0:
            threshold = choose_threshold(
                compute_confidences(averaged_logits, calibration), CLASSIFIED_FRACTION
            )
            entry = entry._replace(
                calibration=calibration, threshold=threshold, tta_threshold=TTA_THRESHOLD
            )
        else:
            reason = f"larger logits do not indicate {entry.positive} on the held-out crops"
    probabilities = Classifier(runtime, entry).compute_probabilities(crops)
    accuracy = round(float(np.mean((probabilities >= 0.5) == positive)), _DIGITS)
    return entry._replace(
        measured={**others, _MEASURED: {"n": len(crops), "accuracy": accuracy}}
    ), reason


def _explain_too_few(positive: npt.NDArray[np.bool_]) -> str | None:
    """Returns the reason why there are too few crops for a fit; None if there are enough."""
    if len(positive) < MIN_CROPS:
        return f"{format_count(len(positive), 'held-out crop')}, at least {MIN_CROPS} are required"
    fewer = min(int(positive.sum()), int((~positive).sum()))
    if fewer < MIN_CROPS_PER_GENDER:
        crops = format_count(fewer, "held-out crop")
        return f"{crops} of one gender, at least {MIN_CROPS_PER_GENDER} are required"
    return None
