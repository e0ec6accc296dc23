"""What the commands that measure a model on labelled pictures share: their options and inputs."""

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

LEARNT_FROM = "includes pictures that the model learnt from"
_KERAS = ".keras"  # keras_runtime has it too, but importing that takes TensorFlow


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is measured on what.

    Attributes:
        classifier: The model.
        detector: What finds the faces.
        samples: The labelled pictures.
        setting: Names all of these.
        learnt_from: Whether the model learnt from some of the pictures.
    """

    classifier: Classifier
    detector: Detector
    samples: Sequence[Sample]
    setting: Setting
    learnt_from: bool


def add_measuring_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name model, threshold, detector and labelled pictures."""
    add = parser.add_argument
    add(
        "--model", type=Path, metavar="FILE",
        help="a .keras, .tflite or .onnx model beside its manifest.json (default: the shipped "
        "model)",
    )  # fmt: skip
    add(
        "--split", choices=("val", "train", "all"),
        help="part of the data to measure on; val is fairface's own validation part, of other "
        "layouts the part that image-gender-train holds out of training (default: val for "
        "fairface, else all)",
    )  # fmt: skip
    add(
        "--threshold", type=probability, metavar="P",
        help="confidence from 0 to 1 from which a picture counts as classified (default: the "
        "model's own)",
    )  # fmt: skip
    add_detector_option(parser)
    add_data_options(parser)


def open_subject(arguments: argparse.Namespace, program: str) -> Subject:
    """Opens what the options name, and says on stderr how many pictures there are.

    Raises:
        DataError: Labels or pictures are missing or wrong.
        ModelError: The model, its manifest or a cascade is missing, damaged or of another contract.
        RuntimeMissing: None of the runtimes can be loaded.
        UsageError: The options do not go together.
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
    learnt_from = _has_learnt_from(classifier.entry, arguments, split)
    return Subject(classifier, detector, reading.samples, setting, learnt_from)


def report_unreadable(outcome: Outcome, program: str) -> None:
    """Names on stderr the pictures that cannot be read."""
    for name, reason in outcome.unreadable:
        say(f"{program}: {name}: {reason}", sys.stderr)


def _open_classifier(model: Path | None, threshold: float | None) -> Classifier:
    if model is None or file_format(model.name) in runtimes.formats():
        return loading.open_classifier(model, threshold=threshold)
    if model.suffix.lower() != _KERAS:
        raise UsageError(f"{model}: is neither a .keras, a .tflite nor an .onnx file")
    # Imported late: TensorFlow takes seconds, and exports are measured without it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from image_gender_classifier.train.common import keras_runtime

    return keras_runtime.open_classifier(model, threshold)


def _has_learnt_from(entry: ModelEntry, arguments: argparse.Namespace, split: Split) -> bool:
    """Says whether the part to measure on holds pictures that the model learnt from."""
    if split == "val":
        return False
    try:
        given = read_data(arguments, training_split(arguments.layout))
    except DataError:  # the part to measure on could be read, so this one is not there
        return False
    return given.key() == entry.trained.get("data")
