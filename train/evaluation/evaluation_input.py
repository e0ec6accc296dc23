"""Options and inputs that `image-gender-evaluate` and `image-gender-report` have in common."""

from __future__ import annotations

import argparse
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
from image_gender_classifier.train.common.command import parse_probability, print_line
from image_gender_classifier.train.common.data_options import (
    add_data_options,
    default_test_split,
    read_data,
    training_split,
)
from image_gender_classifier.train.common.detector_option import (
    add_detector_option,
    choose_detector,
    is_whole_picture_layout,
    open_detector,
)
from image_gender_classifier.train.common.picture_kind import warn_of_other_kind
from image_gender_classifier.train.common.split import held_out_fraction
from image_gender_classifier.train.datasets import DataError, Sample, Split
from image_gender_classifier.train.evaluation.evaluation_report import Setting
from image_gender_classifier.train.evaluation.predictions import SampleResults

TRAINED_ON = "includes pictures that the model was trained on"  # predicate of a warning
_KERAS = ".keras"  # importing keras_runtime would import TensorFlow


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationInput:
    """A model and the pictures to evaluate it on.

    Attributes:
        classifier: The opened gender classifier.
        detector: Detects the faces.
        samples: The labelled pictures.
        setting: Description of model and data, for the report.
        trained_on: Whether the model was trained on some of the pictures.
    """

    classifier: Classifier
    detector: Detector
    samples: Sequence[Sample]
    setting: Setting
    trained_on: bool


def add_evaluation_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options for model, split, threshold, detector and labelled pictures."""
    add = parser.add_argument
    add(
        "--model", type=Path, metavar="FILE",
        help="a .keras, .tflite or .onnx model in a folder with manifest.json (default: the "
        "shipped model)",
    )  # fmt: skip
    add(
        "--split", choices=("val", "train", "all"),
        help="split to evaluate on; val: FairFace's validation split, in other layouts the samples "
        "that image-gender-train holds out (default: val for fairface, else all)",
    )  # fmt: skip
    add_data_options(parser)
    expert = parser.add_argument_group("expert")
    expert.add_argument(
        "--threshold", type=parse_probability, metavar="P",
        help="lowest confidence of a classified picture, 0 to 1 (default: the model's)",
    )  # fmt: skip
    add_detector_option(expert)


def open_evaluation_input(arguments: argparse.Namespace, program: str) -> EvaluationInput:
    """Opens the model and the detector and reads the labelled pictures.

    Prints the number of samples and the skipped items to stderr.

    Args:
        arguments: The options of `add_evaluation_options`.
        program: Name of the console script, for the message.

    Returns:
        The opened model, the detector and at least one sample.

    Raises:
        DataError: Labels or pictures are missing or invalid.
        ModelError: A model or manifest is missing, corrupt or incompatible.
        RuntimeMissing: No runtime for the model or the detector is installed.
        UsageError: The label options do not match `--layout`, or `--model` has an unknown format.
    """
    split = arguments.split or default_test_split(arguments.layout)
    classifier = open_classifier(arguments.model, arguments.threshold)
    runtime = next(
        (entry.name for entry in runtimes.runtimes_for_format(classifier.entry.format)), None
    )
    choice = choose_detector(arguments.detector, arguments.layout)
    detector = open_detector(choice, runtime)
    reading = read_data(arguments, split, held_out_fraction(classifier.entry))
    print_line(f"{program}: {reading.summary()}", sys.stderr)
    if is_whole_picture_layout(arguments.layout):
        warn_of_other_kind(reading.samples, choice)
    setting = Setting(
        model=classifier.entry.file,
        sha256=classifier.entry.sha256,
        data=str(arguments.data),
        layout=arguments.layout,
        split=split,
        detector=choice,
        threshold=classifier.threshold,
    )
    trained_on = includes_training_pictures(classifier.entry, arguments, split)
    return EvaluationInput(classifier, detector, reading.samples, setting, trained_on)


def report_unreadable(results: SampleResults, program: str) -> None:
    """Prints one line to stderr for each unreadable picture."""
    for name, reason in results.unreadable:
        print_line(f"{program}: {name}: {reason}", sys.stderr)


def open_classifier(
    model: Path | None, threshold: float | None, option: str = "--model"
) -> Classifier:
    """Opens a model, or the shipped model; imports TensorFlow for `.keras` only.

    Args:
        model: The file; None for the shipped model.
        threshold: Confidence below which a prediction is `uncertain`; None for that of the model.
        option: The option that names the file, for messages.

    Raises:
        ModelError: The model or its manifest is missing, corrupt or incompatible.
        RuntimeMissing: No runtime for the model is installed.
        UsageError: The file has an unknown format.
    """
    if model is None or file_format(model.name) in runtimes.model_formats():
        return loading.open_classifier(model, threshold=threshold)
    if model.suffix.lower() != _KERAS:
        raise UsageError(f"{option} {model}: expected a .keras, .tflite or .onnx file")
    # Imported here because exports do not need TensorFlow.
    from image_gender_classifier.train.common import keras_runtime

    return keras_runtime.open_keras_classifier(model, threshold)


def includes_training_pictures(
    entry: ModelEntry, arguments: argparse.Namespace, split: Split, held_out: float | None = None
) -> bool:
    """Returns whether the evaluated split contains pictures that a model was trained on.

    Compares the hash of names and labels in the manifest entry with that of the training split in
    `--data`; False if they differ or that split cannot be read.

    Args:
        entry: Manifest entry of the model.
        arguments: The options of `add_evaluation_options`.
        split: The evaluated split.
        held_out: Fraction of the samples in "val"; None for the one that the model held out.
    """
    if split == "val" and (
        held_out is None or arguments.layout == "fairface" or held_out <= held_out_fraction(entry)
    ):
        return False
    try:
        given = read_data(arguments, training_split(arguments.layout))
    except DataError:  # FairFace's training split does not exist
        return False
    return given.hash_labels() == entry.trained.get("data")
