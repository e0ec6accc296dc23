"""The option `--detector`: how to cut a crop from each labelled picture."""

from __future__ import annotations

import argparse

from image_gender_classifier import manifest
from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.cache_key import cache_key
from image_gender_classifier.prediction_key import code_key
from image_gender_classifier.runtimes import registry as runtimes

_DIGITS = 12


def add_detector_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--detector`."""
    parser.add_argument(
        "--detector", choices=detectors.choices(), default="none",
        help="cascade: detect and crop the face, as in inference; lbp: with the LBP cascade only; "
        "none: the pictures are face crops already (default: none)",
    )  # fmt: skip


def open_detector(
    choice: str, runtime: str | None = None, min_face: float | None = None
) -> Detector:
    """Opens the detector that the option names.

    Args:
        choice: The option's value.
        runtime: Runtime of the face detector network; None for the first available one.
        min_face: Smallest face to detect, as a share of a picture's shorter side; None for the
            default.

    Raises:
        ModelError: A file of the detector is missing or damaged.
        RuntimeMissing: No runtime is available.
        UsageError: `min_face` is given for `none`.
    """
    models = manifest.load(shipped_models())
    names = [entry.name for entry in runtimes.automatic()] if runtime is None else [runtime]
    reasons = []
    for name in names:
        try:
            return detectors.open_detector(choice, models, name, min_face)
        except RuntimeMissing as error:
            reasons.append(str(error))
    raise RuntimeMissing("; ".join(reasons))


def detector_key(choice: str) -> str:
    """Gives the cache key of a detector choice, for caches and run records.

    Raises:
        ModelError: A file of the detector is missing or damaged.
        RuntimeMissing: No runtime is available.
    """
    return key_of(choice, open_detector(choice))


def key_of(choice: str, detector: Detector) -> str:
    """Gives the cache key of an opened detector."""
    if choice == "none":
        return choice
    return f"{choice} {cache_key(*code_key(), *detector.cache_key)[:_DIGITS]}"
