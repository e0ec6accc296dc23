"""Perceived gender of the person in a picture, on small machines.

Three lines do the job:

    import image_gender_classifier as igc
    classifier = igc.load()
    prediction = classifier.classify("alice.jpg")  # a path, the file's bytes or an RGB array

and `classifier.classify_folder("photos")` gives a prediction for every picture of a folder. One
classifier serves any number of threads at once. Nothing heavy is imported before `load` is called,
so that `--help` answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_gender_classifier.errors import (
    GenderClassifierError,
    ModelError,
    OutputError,
    RuntimeMissing,
    UnreadablePicture,
    UsageError,
)
from image_gender_classifier.results import Box, Face, Gender, Prediction, Status
from image_gender_classifier.version import __version__

if TYPE_CHECKING:
    from image_gender_classifier.api import GenderClassifier as GenderClassifier
    from image_gender_classifier.api import load as load


__all__ = [
    "Box",
    "Face",
    "Gender",
    "GenderClassifier",
    "GenderClassifierError",
    "ModelError",
    "OutputError",
    "Prediction",
    "RuntimeMissing",
    "Status",
    "UnreadablePicture",
    "UsageError",
    "__version__",
    "load",
]


def __getattr__(name: str) -> Any:
    if name in ("load", "GenderClassifier"):
        from image_gender_classifier.imaging import opencv

        opencv.check()  # before what uses it is imported
        from image_gender_classifier import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
