"""Bounds on the logits of the face detector network: candidate, doubtful face, face."""

from __future__ import annotations

from math import exp, inf, log
from typing import NamedTuple

from image_gender_classifier.manifest.schema import FaceDetectorEntry, FaceOutput

_MAX_EXPONENT = 700.0  # exp overflows above 709


class FaceBounds(NamedTuple):
    """Which logits make a candidate a face, and which leave doubt.

    Attributes:
        lowest: Minimum logit of a face or of a doubtful face.
        surest: Logit from which a candidate is a face; equal to `lowest` if none is doubtful.
        verified: Minimum logit that the face verifier gives to a doubtful face.
        clear: Logit from which a large candidate is a face without a pass on its own tile.
    """

    lowest: float
    surest: float
    verified: float = 0.0
    clear: float = inf


class SearchBounds(NamedTuple):
    """The bounds in each part of the search for faces.

    Attributes:
        candidate: Minimum logit of a candidate.
        first: For the candidates of the pass over the whole picture.
        later: For those of later passes.
        turned: For those of turned pictures; None if pictures are not turned.
    """

    candidate: float
    first: FaceBounds
    later: FaceBounds
    turned: FaceBounds | None


def choose_bounds(entry: FaceDetectorEntry, output: FaceOutput | None) -> SearchBounds:
    """Returns the bounds of the search.

    Args:
        entry: Manifest entry of the face detector, whose thresholds decide without `output`.
        output: The face output that decides about doubtful faces; None if there is none.
    """
    candidate = logit(entry.candidate_threshold)
    if output is not None:
        lowest, surest = logit(output.lowest), logit(output.surest)
        upright = FaceBounds(lowest, surest, logit(output.threshold))
        turned = FaceBounds(lowest, surest, logit(output.turned_threshold))
        first = upright._replace(clear=entry.search.clear)
        return SearchBounds(candidate, first, upright, turned)
    second, in_turned = entry.second_threshold, entry.turned_threshold
    return SearchBounds(
        candidate,
        _require(entry.threshold)._replace(clear=entry.search.clear),
        _require(entry.threshold if second is None else second),
        None if in_turned is None else _require(in_turned),
    )


def _require(score: float) -> FaceBounds:
    """Returns the bounds that require a score (0 to 1) and leave no doubt."""
    return FaceBounds(logit(score), logit(score))


def logit(probability: float) -> float:
    """Returns the log-odds of a probability; minus infinity for 0, infinity for 1."""
    if not 0 < probability < 1:
        return -inf if probability <= 0 else inf
    return log(probability / (1 - probability))


def sigmoid(value: float) -> float:
    """Returns the probability of a logit; the inverse of `logit`."""
    return 1 / (1 + exp(min(-value, _MAX_EXPONENT)))
