"""The option `--detector`: opens the detector that cuts the crop of each labelled picture."""

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
from image_gender_classifier.train.datasets import Layout

NO_DETECTOR = "none"
_DIGITS = 12  # of the hash
_CROPS: tuple[Layout, ...] = ("fairface", "utkface")  # layouts of face crops


def add_detector_option(parser: argparse._ActionsContainer) -> None:
    """Adds `--detector` to a parser or a group of options."""
    parser.add_argument(
        "--detector", choices=detectors.detector_names(),
        help="network: detect and crop the face, as in inference; lbp: the same with the LBP "
        "cascade; cascade: with both; none: the pictures are face crops already (default: network "
        "for the layouts folders and user-id, else none)",
    )  # fmt: skip


def choose_detector(choice: str | None, layout: Layout) -> str:
    """Returns the value of `--detector`, or the default of the layout if it is None."""
    return choice or ("network" if is_whole_picture_layout(layout) else NO_DETECTOR)


def is_whole_picture_layout(layout: Layout) -> bool:
    """Returns whether a layout is for whole pictures, not for a data set of face crops."""
    return layout not in _CROPS


def open_detector(
    choice: str, runtime: str | None = None, min_face: float | None = None
) -> Detector:
    """Opens the detector selected by `--detector`.

    Args:
        choice: Value of `--detector`.
        runtime: Name of the runtime for the face detector network; None for the first one that is
            available.
        min_face: Side of the smallest face to detect, as a fraction of a picture's shorter side;
            None for the default.

    Returns:
        The opened detector.

    Raises:
        ModelError: A model file of the detector is missing or corrupt.
        RuntimeMissing: `runtime` cannot be loaded; if it is None, no runtime can be loaded.
        UsageError: `min_face` is given, but `choice` is "none".
    """
    models = manifest.load(shipped_models())
    names = (
        [entry.name for entry in runtimes.automatic_runtimes()] if runtime is None else [runtime]
    )
    reasons = []
    for name in names:
        try:
            return detectors.open_detector(choice, models, name, min_face)
        except RuntimeMissing as error:
            reasons.append(str(error))
    raise RuntimeMissing("; ".join(reasons))


def detector_cache_key(choice: str) -> str:
    """Opens a detector and returns its cache key, for the crop cache and the run record.

    Args:
        choice: Value of `--detector`.

    Raises:
        ModelError: A model file of the detector is missing or corrupt.
        RuntimeMissing: No runtime that the detector can use is installed.
    """
    return format_cache_key(choice, open_detector(choice))


def format_cache_key(choice: str, detector: Detector) -> str:
    """Returns the cache key of a detector as text, such as "cascade 0123456789ab".

    The hash covers everything that affects detections: code, model files and settings.

    Args:
        choice: Value of `--detector`; "none" has no hash.
        detector: The opened detector.
    """
    if choice == NO_DETECTOR:
        return choice
    return f"{choice} {cache_key(*code_key(), *detector.cache_key)[:_DIGITS]}"
