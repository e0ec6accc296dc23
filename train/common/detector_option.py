"""The option that says how a crop is cut out of each labelled picture."""

from __future__ import annotations

import argparse

from image_gender_classifier import manifest
from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.imaging import decoding
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.manifest.cache_key import cache_key
from image_gender_classifier.runtimes import registry as runtimes

_DIGITS = 12


def add_detector_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--detector`."""
    parser.add_argument(
        "--detector", choices=detectors.choices(), default="none",
        help="cascade: find and crop the face in each picture first, as in use; lbp: with the "
        "first stage alone; none: each picture is a face crop already (default: none)",
    )  # fmt: skip


def open_detector(
    choice: str, runtime: str | None = None, min_face: float | None = None
) -> Detector:
    """Opens the detector that the option names.

    Args:
        choice: What the option says.
        runtime: What runs the face finder; None for the first that can be loaded.
        min_face: The smallest face to look for, as a share of a picture's shorter side; None for
            what is usual.

    Raises:
        ModelError: One of its files is missing or damaged.
        RuntimeMissing: No runtime can be loaded.
        UsageError: `none` is to search for small faces.
    """
    models = manifest.load(shipped_models())
    reasons = []
    for name in runtimes.names() if runtime is None else (runtime,):
        try:
            return detectors.open_detector(choice, models, name, min_face)
        except RuntimeMissing as error:
            reasons.append(str(error))
    raise RuntimeMissing("; ".join(reasons))


def detector_key(choice: str) -> str:
    """Names the way of cutting with all that it depends on, for caches and records.

    Raises:
        ModelError: One of the detector's files is missing or damaged.
        RuntimeMissing: No runtime can be loaded.
    """
    return key_of(choice, open_detector(choice))


def key_of(choice: str, detector: Detector) -> str:
    """Names an opened detector with all that what it finds depends on."""
    if choice == "none":
        return choice
    return f"{choice} {cache_key(*detector.cache_key, *decoding.CACHE_KEY)[:_DIGITS]}"
