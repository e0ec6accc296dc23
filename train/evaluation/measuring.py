"""Options and inputs that the evaluation commands share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_gender_classifier import loading
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import UsageError
from image_gender_classifier.manifest.schema import ModelEntry, file_format
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.train.common.command import probability, say
from image_gender_classifier.train.common.data_options import (
    add_data_options,
    default_test_split,
    read_data,
    training_split,
)
from image_gender_classifier.train.common.detector_option import (
    add_detector_option,
    open_detector,
)
from image_gender_classifier.train.datasets import DataError, Sample, Split
from image_gender_classifier.train.evaluation.answers import Outcome
from image_gender_classifier.train.evaluation.evaluation_report import Setting

TRAINED_ON = "includes pictures that the model was trained on"
_KERAS = ".keras"  # importing keras_runtime would import TensorFlow


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A model and the pictures to evaluate it on.

    Attributes:
        classifier: The model.
        detector: Finds the faces.
        samples: The labelled pictures.
        setting: Names of all of these.
        trained_on: Whether the model was trained on some of the pictures.
    """

    classifier: Classifier
    detector: Detector
    samples: Sequence[Sample]
    setting: Setting
    trained_on: bool


def add_measuring_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options for model, threshold, detector and labelled pictures."""
    add = parser.add_argument
    add(
        "--model", type=Path, metavar="FILE",
        help="a .keras, .tflite or .onnx model beside its manifest.json (default: the shipped "
        "model)",
    )  # fmt: skip
    add(
        "--split", choices=("val", "train", "all"),
        help="part of the data to evaluate on; val: FairFace's validation part, in other layouts "
        "the part that image-gender-train holds out (default: val for fairface, else all)",
    )  # fmt: skip
    add(
        "--threshold", type=probability, metavar="P",
        help="lowest confidence of a classified picture, 0 to 1 (default: the model's)",
    )  # fmt: skip
    add_detector_option(parser)
    add_data_options(parser)


def open_subject(arguments: argparse.Namespace, program: str) -> Subject:
    """Opens the model and the data of the options, and prints the number of pictures on stderr.

    Raises:
        DataError: Labels or pictures are missing or wrong.
        ModelError: The model, its manifest or a cascade is missing, damaged or incompatible.
        RuntimeMissing: No runtime is available.
        UsageError: The options contradict each other.
    """
    split = arguments.split or default_test_split(arguments.layout)
    classifier = _open_classifier(arguments.model, arguments.threshold)
    runtime = next((entry.name for entry in runtimes.for_format(classifier.entry.format)), None)
    detector = open_detector(arguments.detector, runtime)
    reading = read_data(arguments, split)
    say(f"{program}: {reading.report()}", sys.stderr)
    setting = Setting(
        model=classifier.entry.file,
        sha256=classifier.entry.sha256,
        data=str(arguments.data),
        layout=arguments.layout,
        split=split,
        detector=arguments.detector,
        threshold=classifier.threshold,
    )
    trained_on = _was_trained_on(classifier.entry, arguments, split)
    return Subject(classifier, detector, reading.samples, setting, trained_on)


def report_unreadable(outcome: Outcome, program: str) -> None:
    """Prints the unreadable pictures on stderr."""
    for name, reason in outcome.unreadable:
        say(f"{program}: {name}: {reason}", sys.stderr)


def _open_classifier(model: Path | None, threshold: float | None) -> Classifier:
    if model is None or file_format(model.name) in runtimes.formats():
        return loading.open_classifier(model, threshold=threshold)
    if model.suffix.lower() != _KERAS:
        raise UsageError(f"{model}: is not a .keras, .tflite or .onnx file")
    # Imported here because exports do not need TensorFlow.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from image_gender_classifier.train.common import keras_runtime

    return keras_runtime.open_classifier(model, threshold)


def _was_trained_on(entry: ModelEntry, arguments: argparse.Namespace, split: Split) -> bool:
    """Reports whether the evaluated part includes training pictures of the model."""
    if split == "val":
        return False
    try:
        given = read_data(arguments, training_split(arguments.layout))
    except DataError:  # FairFace's training part is absent
        return False
    return given.key() == entry.trained.get("data")
