"""The command `image-gender-evaluate`: measures the accuracy and calibration of a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from image_gender_classifier.cli.path_checks import check_file
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common.command import (
    Parser,
    check_json_path,
    print_line,
    print_warning,
    run_with_exit_code,
)
from image_gender_classifier.train.common.split import held_out_fraction
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.datasets.reading import format_count
from image_gender_classifier.train.evaluation import (
    differences_page,
    evaluation_input,
    evaluation_report,
    model_comparison,
)
from image_gender_classifier.train.evaluation.metrics import Predictions, compute_scores
from image_gender_classifier.train.evaluation.predictions import SampleResults, classify_samples
from image_gender_classifier.train.evaluation.robustness import (
    CLEAN,
    HIDDEN_HAIR,
    Degradation,
    HairReplacement,
)

PROGRAM = "image-gender-evaluate"
_EPILOG = f"""\
examples:
  The shipped model on pictures in the folders female and male:
    {PROGRAM} --data my/pictures --layout folders
  Another model, on the pictures that its training held out, compared with the shipped one:
    {PROGRAM} --model runs/converted/gender_int8.tflite --compare models/gender_int8.tflite \\
        --data my/pictures --layout folders --split val --differences differences.html
"""
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
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, allow_abbrev=False)
    evaluation_input.add_evaluation_options(parser)
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures as JSON (default: no)"
    )
    parser.add_argument(
        "--compare", type=Path, metavar="FILE",
        help="another model, to compare on the same pictures: accuracy of each group, and "
        "McNemar's test of the difference (default: no)",
    )  # fmt: skip
    parser.add_argument(
        "--hide-hair", choices=get_args(HairReplacement),
        help="replace what surrounds each face, such as hair and clothes, to measure how far the "
        "model relies on it; blur: by the blurred picture, colour: by its mean colour "
        "(default: no)",
    )  # fmt: skip
    parser.add_argument(
        "--differences", type=Path, metavar="HTML",
        help="also write a page with the pictures whose label differs from the prediction, or with "
        "--compare those on which the models differ, and a folder next to it (default: no)",
    )  # fmt: skip
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    check_json_path(arguments.json)
    if arguments.hide_hair is not None and arguments.differences is not None:
        raise UsageError("--differences shows the faces as they are; omit it, or omit --hide-hair")
    if arguments.differences is not None:
        check_file(arguments.differences, "--differences")
    subject = evaluation_input.open_evaluation_input(arguments, PROGRAM)
    degradation = CLEAN if arguments.hide_hair is None else HIDDEN_HAIR[arguments.hide_hair]
    subject = replace(subject, setting=replace(subject.setting, degradation=degradation.name))
    results = classify_samples(subject.samples, subject.detector, subject.classifier, degradation)
    evaluation_input.report_unreadable(results, PROGRAM)
    if len(results.unreadable) == len(subject.samples):
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
        print_warning(f"the data {evaluation_input.TRAINED_ON}")
    print_line(evaluation_report.format_scores(scores, subject.setting), sys.stdout)
    predictions = {subject.setting.model: results.predictions}
    if arguments.compare is not None:
        predictions = _compare(arguments, subject, results, degradation)
    if arguments.differences is not None:
        _write_differences(arguments, subject, results, predictions)
    if arguments.json is not None:
        content = evaluation_report.scores_to_json(scores, subject.setting)
        write_atomic(arguments.json, content.encode("utf-8", "replace"))


def _compare(
    arguments: argparse.Namespace,
    subject: evaluation_input.EvaluationInput,
    results: SampleResults,
    degradation: Degradation,
) -> dict[str, Predictions]:
    """Classifies the pictures with the model of `--compare` too, and prints the comparison.

    Warns if that model was trained on some of the pictures.

    Returns:
        The predictions by name of the model, those of the evaluated model first.

    Raises:
        ModelError: The model is missing, corrupt or incompatible.
    """
    other = evaluation_input.open_classifier(arguments.compare, None, "--compare")
    if evaluation_input.includes_training_pictures(
        other.entry,
        arguments,
        subject.setting.split,
        held_out_fraction(subject.classifier.entry),
    ):
        print_warning(f"the data includes pictures that {arguments.compare} was trained on")
    others = classify_samples(subject.samples, subject.detector, other, degradation).predictions
    names = subject.setting.model, other.entry.file
    if names[0] == names[1]:
        names = str(arguments.model or "shipped"), str(arguments.compare)
    text = model_comparison.format_models(results.predictions, others, *names)
    print_line(f"\n{text}", sys.stdout)
    return {names[0]: results.predictions, names[1]: others}


def _write_differences(
    arguments: argparse.Namespace,
    subject: evaluation_input.EvaluationInput,
    results: SampleResults,
    predictions: Mapping[str, Predictions],
) -> None:
    """Writes the page of `--differences`.

    Raises:
        ModelError: A model cannot be run.
        OutputError: The page cannot be written.
    """
    samples = results.select_predicted(subject.samples)
    pictures = model_comparison.find_differences(samples, predictions)
    whose = " and ".join([*predictions, "label"][:2])
    differences_page.write_differences_page(
        arguments.differences,
        f"{format_count(len(pictures), 'picture')} on which {whose} differ",
        arguments.data,
        pictures,
        subject.detector,
        subject.classifier,
    )
    print_line(
        f"{format_count(len(pictures), 'picture')} on which {whose} differ: open "
        f"{arguments.differences} in a browser",
        sys.stdout,
    )
