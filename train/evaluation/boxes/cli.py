"""The command `image-gender-evaluate-boxes`: accuracy and cost of face detection."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.cli.parser import smallest_face
from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.train.common.command import Parser, check_json, exit_code, say
from image_gender_classifier.train.common.detector_option import key_of, open_detector
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation.boxes import cost, report, sets
from image_gender_classifier.train.evaluation.boxes.cost import Cost
from image_gender_classifier.train.evaluation.boxes.report import Measurement
from image_gender_classifier.train.evaluation.boxes.scoring import SetScore, score
from image_gender_classifier.train.evaluation.boxes.trials import Skipped, TrialSet

PROGRAM = "image-gender-evaluate-boxes"
_TIMED = (sets.LFW, sets.CALTECH, sets.NO_FACE)
_DESCRIPTION = (
    "Measures face detection: on portraits with known faces, upright and rotated, on pictures "
    "without a face, and on FairFace's validation crops, alone and pasted into backgrounds. Gives "
    "the share of pictures with the correct main face, with 95% Wilson intervals, and the errors "
    "of the frames. Skips sets whose folder is missing."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        0 on success, 2 for wrong usage, data, models or runtime, 3 when the JSON file cannot be
        written, 130 when interrupted.
    """
    return exit_code(PROGRAM, lambda: _evaluate(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, allow_abbrev=False)
    add = parser.add_argument
    add(
        "--data", type=Path, required=True, metavar="DIR",
        help="folder of portraits: lfw, caltech_faces and wider (each of these two with a "
        "boxes.csv), no_face",
    )  # fmt: skip
    add(
        "--fairface", type=Path, metavar="DIR",
        help="FairFace folder, for its validation crops (default: skip these sets)",
    )  # fmt: skip
    add(
        "--backgrounds", type=Path, metavar="DIR",
        help="folder of pictures without people, for composites (default: skip these sets)",
    )  # fmt: skip
    add(
        "--detector", choices=detectors.choices(), default="cascade",
        help="cascade: as in inference; lbp: the LBP cascade only; none: treats every picture as a "
        "face (default: cascade)",
    )  # fmt: skip
    add(
        "--runtime", choices=runtimes.names(),
        help="runtime of the face detector network (default: the first available)",
    )  # fmt: skip
    add(
        "--min-face", type=smallest_face, metavar="S",
        help="smallest face that cascade and lbp detect (default: as in inference)",
    )  # fmt: skip
    add(
        "--time", action="store_true",
        help=f"also measure the CPU time of detection, relative to {cost.REFERENCE} (default: no)",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="also write the figures as JSON (default: no)")
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    check_json(arguments.json)
    if arguments.runtime and arguments.detector != "cascade":
        raise UsageError(f"--runtime: detector {arguments.detector} uses no network")
    detector = open_detector(arguments.detector, arguments.runtime, arguments.min_face)
    found = [
        *sets.portraits(arguments.data),
        sets.crops(arguments.fairface),
        *sets.composed(arguments.fairface, arguments.backgrounds),
    ]
    skipped = [one for one in found if isinstance(one, Skipped)]
    for one in skipped:
        say(f"{PROGRAM}: {one.name}: skipped, {one.reason}", sys.stderr)
    to_measure = [one for one in found if isinstance(one, TrialSet)]
    if not to_measure:
        raise DataError(f"{arguments.data}: no set to evaluate on")
    scores = [_score(one, detector) for one in to_measure]
    costs = _costs(to_measure, detector) if arguments.time else []
    measurement = Measurement(key_of(arguments.detector, detector), scores, skipped, costs)
    say(report.table(measurement), sys.stdout)
    if arguments.json is not None:
        write_whole(arguments.json, report.to_json(measurement).encode("utf-8", "replace"))


def _score(pictures: TrialSet, detector: Detector) -> SetScore:
    """Scores a set and prints its unreadable pictures on stderr."""
    scored = score(pictures, detector)
    for name, reason in scored.unreadable:
        say(f"{PROGRAM}: {pictures.name}: {name}: {reason}", sys.stderr)
    return scored


def _costs(measured: Sequence[TrialSet], detector: Detector) -> list[Cost]:
    reference = cost.open_reference()
    timed = [one for one in measured if one.name in _TIMED]
    costs = [cost.measure(one, detector, reference) for one in timed]
    return [one for one in costs if one is not None]
