"""The command `image-gender-report`: evaluates a model in a Markdown report with plots."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.command import Parser, print_line, run_with_exit_code
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation import evaluation_input, report_page, robustness
from image_gender_classifier.train.evaluation.findings import Findings, make_findings
from image_gender_classifier.train.evaluation.predictions import classify_versions

PROGRAM = "image-gender-report"
PAGE = "report.md"
_OUT = Path("report")
_DESCRIPTION = (
    "Evaluates a model on labelled pictures, original and degraded, and writes a report into a "
    f"folder: {PAGE} with tables, and plots of reliability, coverage, groups, confusion matrix and "
    "robustness. Equal inputs result in byte-identical files."
)
_EPILOG = f"""\
example:
  {PROGRAM} --data fairface --layout fairface --out report
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-report`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code: 0 on success, 2 for wrong usage, data or model, 3 if the report cannot be
        written, 129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM.
    """
    return run_with_exit_code(PROGRAM, lambda: _report(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, allow_abbrev=False)
    evaluation_input.add_evaluation_options(parser)
    parser.add_argument(
        "--out", type=Path, default=_OUT, metavar="DIR",
        help=f"folder for the report, created if missing (default: {_OUT})",
    )  # fmt: skip
    return parser


def _report(arguments: argparse.Namespace) -> None:
    # Imported after parsing, for a fast --help, and before the work, to fail early if missing.
    from image_gender_classifier.train.evaluation import figures

    subject = evaluation_input.open_evaluation_input(arguments, PROGRAM)
    _make_folder(arguments.out)
    findings = _evaluate(subject)
    for name, png in figures.draw_all_figures(findings).items():
        write_atomic(arguments.out / name, png)
    write_atomic(arguments.out / PAGE, report_page.format_page(findings).encode("utf-8", "replace"))
    print_line(str(arguments.out / PAGE), sys.stdout)


def _evaluate(subject: evaluation_input.EvaluationInput) -> Findings:
    """Classifies the original and the degraded crops; prints unreadable pictures to stderr.

    Raises:
        DataError: No picture has a crop.
        ModelError: A model cannot be run.
    """
    versions = (robustness.CLEAN, *robustness.DEGRADATIONS)
    cut = robustness.make_degraded_crop_cutter(subject.detector, versions)
    results = classify_versions(subject.samples, cut, len(versions), subject.classifier)
    clean = results[0]
    evaluation_input.report_unreadable(clean, PROGRAM)
    if len(clean.predictions.gender) == 0:
        raise DataError(cutting.explain_no_crops(len(clean.unreadable), len(clean.no_face)))
    return make_findings(subject.setting, subject.trained_on, robustness.DEGRADATIONS, results)


def _make_folder(folder: Path) -> None:
    """Creates the output folder if missing, before the work starts, to fail early.

    Raises:
        UsageError: The folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {folder}: the folder cannot be created ({error.strerror}); use another folder"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
