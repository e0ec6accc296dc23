"""The command `image-gender-evaluate`: any model file on any labelled pictures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier import loading
from image_gender_classifier.classifier import Classifier
from image_gender_classifier.errors import UsageError
from image_gender_classifier.manifest import ModelEntry
from image_gender_classifier.runtimes import SUFFIXES
from image_gender_classifier.train import evaluation_report
from image_gender_classifier.train.answers import Outcome, answer
from image_gender_classifier.train.command import Parser, exit_code, probability, say
from image_gender_classifier.train.data_options import (
    add_data_options,
    default_test_split,
    read_data,
    training_split,
)
from image_gender_classifier.train.datasets import DataError, Split
from image_gender_classifier.train.detectors import add_detector_option, open_detector
from image_gender_classifier.train.evaluation_report import Setting
from image_gender_classifier.train.metrics import score
from image_gender_classifier.writing import write_whole

PROGRAM = "image-gender-evaluate"
_KERAS = ".keras"  # keras_runtime has it too, but importing that takes TensorFlow
_DESCRIPTION = (
    "Measures a model on labelled pictures: accuracy, true positive rate of each gender, accuracy "
    "by age, race and race and gender where labels exist, and calibration, with 95% Wilson "
    "intervals. What it measures is agreement with perceived gender as labelled."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program's name; the process's own by default.

    Returns:
        The exit code: 0, 2 for wrong usage, data or model, 3 where the JSON cannot be written,
        130 when interrupted.
    """
    return exit_code(PROGRAM, lambda: _evaluate(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, allow_abbrev=False)
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
    add("--json", type=Path, metavar="FILE", help="also write the figures as JSON (default: no)")
    add_detector_option(parser)
    add_data_options(parser)
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    _check_json(arguments.json)
    split = arguments.split or default_test_split(arguments.layout)
    detector = open_detector(arguments.detector)
    classifier = _open_classifier(arguments.model, arguments.threshold)
    reading = read_data(arguments, split)
    say(f"{PROGRAM}: {reading.report()}", sys.stderr)
    outcome = answer(reading.samples, detector, classifier)
    _report_unreadable(outcome)
    scores = score(
        outcome.answers, classifier.threshold, len(outcome.no_face), len(outcome.unreadable)
    )
    setting = Setting(
        model=classifier.entry.file,
        sha256=classifier.entry.sha256,
        data=str(arguments.data),
        layout=arguments.layout,
        split=split,
        detector=arguments.detector,
        threshold=classifier.threshold,
    )
    if _has_learnt_from(classifier.entry, arguments, split):
        say("includes pictures that the model learnt from", sys.stdout)
    say(evaluation_report.table(scores, setting), sys.stdout)
    if arguments.json is not None:
        content = evaluation_report.to_json(scores, setting)
        write_whole(arguments.json, content.encode("utf-8", "replace"))


def _check_json(path: Path | None) -> None:
    """Refuses an impossible file before the work rather than after it."""
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"--json {path}: the folder {path.parent} does not exist")
    if path is not None and path.is_dir():
        raise UsageError(f"--json {path}: is a folder, not a file")


def _open_classifier(model: Path | None, threshold: float | None) -> Classifier:
    if model is None or model.suffix.lower() in SUFFIXES:
        return loading.open_classifier(model, threshold=threshold)
    if model.suffix.lower() != _KERAS:
        raise UsageError(f"{model}: is neither a .keras, a .tflite nor an .onnx file")
    # Imported late: TensorFlow takes seconds, and exports are measured without it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from image_gender_classifier.train import keras_runtime

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


def _report_unreadable(outcome: Outcome) -> None:
    for name, reason in outcome.unreadable:
        say(f"{PROGRAM}: {name}: {reason}", sys.stderr)
