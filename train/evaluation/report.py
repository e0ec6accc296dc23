"""The command `image-gender-report`: a report with plots of a model on labelled pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.train.common import cutting
from image_gender_classifier.train.common.command import Parser, exit_code, say
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation import findings, measuring, report_page, robustness
from image_gender_classifier.train.evaluation.answers import answer_versions
from image_gender_classifier.train.evaluation.findings import Findings

PROGRAM = "image-gender-report"
PAGE = "report.md"
_OUT = Path("report")
_DESCRIPTION = (
    "Evaluates a model on labelled pictures, original and degraded, and writes a report into a "
    f"folder: {PAGE} with tables, and plots of reliability, coverage, groups, confusion matrix and "
    "robustness. The same input gives the same bytes."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        0 on success, 2 for wrong usage, data or model, 3 when the report cannot be written, 130
        when interrupted.
    """
    return exit_code(PROGRAM, lambda: _report(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, allow_abbrev=False)
    measuring.add_measuring_options(parser)
    parser.add_argument(
        "--out", type=Path, default=_OUT, metavar="DIR",
        help=f"folder for the report, created if missing (default: {_OUT})",
    )  # fmt: skip
    return parser


def _report(arguments: argparse.Namespace) -> None:
    # Imported after parsing, for a fast --help, and before the work, to fail early if missing.
    from image_gender_classifier.train.evaluation import figures

    subject = measuring.open_subject(arguments, PROGRAM)
    _make_folder(arguments.out)
    found = _find(subject)
    for name, png in figures.all_figures(found).items():
        write_whole(arguments.out / name, png)
    write_whole(arguments.out / PAGE, report_page.page(found).encode("utf-8", "replace"))
    say(str(arguments.out / PAGE), sys.stdout)


def _find(subject: measuring.Subject) -> Findings:
    ways = (robustness.CLEAN, *robustness.DEGRADATIONS)
    cut = robustness.by(subject.detector, ways)
    outcomes = answer_versions(subject.samples, cut, len(ways), subject.classifier)
    clean = outcomes[0]
    measuring.report_unreadable(clean, PROGRAM)
    if len(clean.answers.gender) == 0:
        raise DataError(cutting.nothing_cut(len(clean.unreadable), len(clean.no_face)))
    return findings.find(subject.setting, subject.trained_on, robustness.DEGRADATIONS, outcomes)


def _make_folder(folder: Path) -> None:
    """Creates the output folder, to fail early."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be created ({error.strerror})") from None


if __name__ == "__main__":
    sys.exit(main())
