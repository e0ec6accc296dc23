"""The command `image-gender-evaluate`: measures the accuracy and calibration of a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common.command import (
    Parser,
    check_json_path,
    print_line,
    run_with_exit_code,
)
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation import evaluation_report, measuring
from image_gender_classifier.train.evaluation.metrics import compute_scores
from image_gender_classifier.train.evaluation.predictions import classify_samples

PROGRAM = "image-gender-evaluate"
_DESCRIPTION = (
    "Evaluates a model on labelled pictures: accuracy, true positive rate of each gender, accuracy "
    "by age, race, and race and gender where labelled, and calibration, with 95% Wilson "
    "intervals. Accuracy is agreement with the labelled perceived gender."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-evaluate`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code: 0 on success, 2 for wrong usage, data or model, 3 if the JSON file cannot be
        written, 129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM.
    """
    return run_with_exit_code(PROGRAM, lambda: _evaluate(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, allow_abbrev=False)
    measuring.add_evaluation_options(parser)
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures as JSON (default: no)"
    )
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    check_json_path(arguments.json)
    subject = measuring.open_evaluation_input(arguments, PROGRAM)
    results = classify_samples(subject.samples, subject.detector, subject.classifier)
    measuring.report_unreadable(results, PROGRAM)
    if subject.samples and len(results.unreadable) == len(subject.samples):
        raise DataError(
            f"--data {arguments.data}: no picture can be read ({len(subject.samples):,} tried); "
            "check the folder"
        )
    scores = compute_scores(
        results.predictions,
        subject.setting.threshold,
        len(results.no_face),
        len(results.unreadable),
    )
    if subject.trained_on:
        print_line(f"warning: the data {measuring.TRAINED_ON}", sys.stdout)
    print_line(evaluation_report.format_scores(scores, subject.setting), sys.stdout)
    if arguments.json is not None:
        content = evaluation_report.scores_to_json(scores, subject.setting)
        write_atomic(arguments.json, content.encode("utf-8", "replace"))
