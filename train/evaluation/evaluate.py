"""The command `image-gender-evaluate`: figures of a model on labelled pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.train.common.command import Parser, check_json, exit_code, say
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation import evaluation_report, measuring
from image_gender_classifier.train.evaluation.answers import answer
from image_gender_classifier.train.evaluation.metrics import score

PROGRAM = "image-gender-evaluate"
_DESCRIPTION = (
    "Measures a model on labelled pictures: accuracy, true positive rate of each gender, accuracy "
    "by age, race, and race and gender where labelled, and calibration, with 95% Wilson "
    "intervals. Accuracy is agreement with the labelled perceived gender."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        0 on success, 2 for wrong usage, data or model, 3 when the JSON file cannot be written, 130
        when interrupted.
    """
    return exit_code(PROGRAM, lambda: _evaluate(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, allow_abbrev=False)
    measuring.add_measuring_options(parser)
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures as JSON (default: no)"
    )
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    check_json(arguments.json)
    subject = measuring.open_subject(arguments, PROGRAM)
    outcome = answer(subject.samples, subject.detector, subject.classifier)
    measuring.report_unreadable(outcome, PROGRAM)
    if subject.samples and len(outcome.unreadable) == len(subject.samples):
        raise DataError(f"none of the {len(subject.samples):,} pictures can be read")
    scores = score(
        outcome.answers, subject.setting.threshold, len(outcome.no_face), len(outcome.unreadable)
    )
    if subject.trained_on:
        say(measuring.TRAINED_ON, sys.stdout)
    say(evaluation_report.table(scores, subject.setting), sys.stdout)
    if arguments.json is not None:
        content = evaluation_report.to_json(scores, subject.setting)
        write_whole(arguments.json, content.encode("utf-8", "replace"))
