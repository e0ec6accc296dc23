"""From logits to probabilities that mean what they say, and the threshold of `uncertain`.

Both are fitted on held-out samples, which the network never learnt from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from image_gender_classifier.faces import Pixels
from image_gender_classifier.manifest import Calibration, ModelEntry
from image_gender_classifier.runtimes import Runtime

# Share of the held-out samples that the default threshold lets be classified.
CLASSIFIED = 0.9
_STEPS = 50
_SMALLEST_STEP = 1e-12
_DIGITS = 4


def fit(logits: npt.NDArray[np.float32], positive: npt.NDArray[np.bool_]) -> Calibration:
    """Fits Platt scaling by maximum likelihood (Newton's method, its steps halved where too long).

    Platt, "Probabilistic Outputs for Support Vector Machines" (1999), with his targets, which
    keep the fit finite where the two genders can be told apart without an error; Lin, Lin and
    Weng, "A Note on Platt's Probabilistic Outputs for Support Vector Machines" (2007), for the
    steps, without which sure answers send Newton's method off to infinity.

    Args:
        logits: float32, N.
        positive: bool, N: whether the sample is of the positive gender.
    """
    counts = positive.sum(), (~positive).sum()
    target = np.where(positive, (counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2))
    features = np.stack([logits, np.ones_like(logits)], axis=1).astype(np.float64)

    def loss(weights: npt.NDArray[np.float64]) -> float:
        scores = features @ weights
        return float(np.sum(np.logaddexp(0, scores) - target * scores))

    weights = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        probability = 0.5 + 0.5 * np.tanh(features @ weights / 2)  # the logistic, never too large
        gradient = features.T @ (probability - target)
        spread = np.maximum(probability * (1 - probability), 1e-9)
        hessian = (features * spread[:, None]).T @ features + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > _SMALLEST_STEP:
            step /= 2
        weights = weights - step
    slope, bias = np.round(weights, _DIGITS)
    return Calibration(float(slope), float(bias))


def threshold(
    logits: npt.NDArray[np.float32], calibration: Calibration, classified: float
) -> float:
    """The confidence that a given share of the samples reaches.

    Args:
        logits: float32, N.
        calibration: From logit to probability.
        classified: Share of the samples to be classified, 0 to 1.
    """
    scores = calibration.slope * logits.astype(np.float64) + calibration.bias
    confidence = 1 / (1 + np.exp(-np.abs(scores)))
    return float(np.floor(np.quantile(confidence, 1 - classified) * 1000) / 1000)


def calibrated(
    entry: ModelEntry, runtime: Runtime, crops: Pixels, positive: npt.NDArray[np.bool_]
) -> ModelEntry:
    """Completes a model's entry by what held-out crops tell of it.

    Args:
        entry: The entry of the model's file.
        runtime: The opened model.
        crops: uint8 RGB, N x S x S x 3, which the network did not learn from.
        positive: bool, N: their labels.

    Returns:
        The entry with calibration, threshold and the accuracy on these crops.
    """
    logits = runtime.run(crops)[0].reshape(-1)
    calibration = fit(logits, positive)
    scores = calibration.slope * logits + calibration.bias
    accuracy = float(np.mean((scores >= 0) == positive))
    return replace(
        entry,
        calibration=calibration,
        threshold=threshold(logits, calibration, CLASSIFIED),
        measured={**entry.measured, "held_out": {"n": len(crops), "accuracy": round(accuracy, 4)}},
    )
