"""The option that says how a crop is cut out of each labelled picture."""

from __future__ import annotations

import argparse
from typing import get_args

from image_gender_classifier import detectors, manifest
from image_gender_classifier.choices import DetectorChoice
from image_gender_classifier.fingerprint import settings_key
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.pipeline import Detector
from image_gender_classifier.runtimes import PREFERENCE

_DIGITS = 12


def add_detector_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--detector`."""
    parser.add_argument(
        "--detector", choices=get_args(DetectorChoice), default="none",
        help="cascade: find and crop the face in each picture first, as in use; lbp: with the "
        "first stage alone; none: each picture is a face crop already (default: none)",
    )  # fmt: skip


def open_detector(choice: DetectorChoice) -> Detector:
    """Opens the detector that the option names.

    Raises:
        ModelError: A cascade is missing or damaged.
    """
    return detectors.open_detector(choice, manifest.load(shipped_models()), PREFERENCE[0])


def detector_key(choice: DetectorChoice) -> str:
    """Names the way of cutting with all that it depends on, for caches and records.

    Raises:
        ModelError: The manifest of the cascades is missing or damaged.
    """
    if choice == "none":
        return choice
    settings = settings_key(*open_detector(choice).decisive)
    return f"{choice} {settings[:_DIGITS]}"
