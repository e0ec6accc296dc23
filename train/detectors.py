"""The option that says how a crop is cut out of each labelled picture."""

from __future__ import annotations

import argparse
from typing import get_args

from image_gender_classifier import manifest
from image_gender_classifier.cascades import CascadeDetector
from image_gender_classifier.choices import DetectorChoice
from image_gender_classifier.fingerprint import settings_key
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.pipeline import Detector, WholePicture

_DIGITS = 12


def add_detector_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--detector`."""
    parser.add_argument(
        "--detector", choices=get_args(DetectorChoice), default="none",
        help="cascade: find and crop the face in each picture first, as in use; none: each "
        "picture is a face crop already (default: none)",
    )  # fmt: skip


def open_detector(choice: DetectorChoice) -> Detector:
    """Opens the detector that the option names.

    Raises:
        ModelError: A cascade is missing or damaged.
    """
    if choice == "none":
        return WholePicture()
    return CascadeDetector(manifest.load(shipped_models()))


def detector_key(choice: DetectorChoice) -> str:
    """Names the way of cutting with all that it depends on, for caches and records.

    Raises:
        ModelError: The manifest of the cascades is missing or damaged.
    """
    if choice == "none":
        return choice
    settings = settings_key(*manifest.load(shipped_models()).cascades)
    return f"{choice} {settings[:_DIGITS]}"
