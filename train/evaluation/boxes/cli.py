"""The command `image-gender-evaluate-boxes`: how well a detector finds faces, and at what cost."""

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
    "Measures face finding: on portraits whose faces are known, upright and turned, on pictures "
    "without a face, and on FairFace's validation crops, whole and set into backgrounds. Gives "
    "the share where the main face is the right one, with its 95% Wilson interval, and how the "
    "frames lie to the true ones. A set whose folder is missing is skipped."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments without the program's name; the process's own by default.

    Returns:
        The exit code: 0, 2 for wrong usage, data, models or runtime, 3 where the JSON cannot be
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
        help="folder of FairFace, whose val has faces held out of training (default: skip these)",
    )  # fmt: skip
    add(
        "--backgrounds", type=Path, metavar="DIR",
        help="folder of pictures without people, to set those faces into (default: skip these)",
    )  # fmt: skip
    add(
        "--detector", choices=detectors.choices(), default="cascade",
        help="cascade: the one in use; lbp: its first stage alone; none: takes every picture for a "
        "face (default: cascade)",
    )  # fmt: skip
    add(
        "--runtime", choices=runtimes.names(),
        help="what runs the face finder (default: the first of these that can be loaded)",
    )  # fmt: skip
    add(
        "--min-face", type=smallest_face, metavar="S",
        help="the smallest face that cascade and lbp look for, as in use (default: what is usual)",
    )  # fmt: skip
    add(
        "--time", action="store_true",
        help=f"also measure the CPU time of finding, against {cost.REFERENCE} (default: no)",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="also write the figures as JSON (default: no)")
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    check_json(arguments.json)
    if arguments.runtime and arguments.detector != "cascade":
        raise UsageError(f"--runtime: detector {arguments.detector} has no network to run")
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
        raise DataError(f"{arguments.data}: there is nothing to measure on")
    scores = [_score(one, detector) for one in to_measure]
    costs = _costs(to_measure, detector) if arguments.time else []
    measurement = Measurement(key_of(arguments.detector, detector), scores, skipped, costs)
    say(report.table(measurement), sys.stdout)
    if arguments.json is not None:
        write_whole(arguments.json, report.to_json(measurement).encode("utf-8", "replace"))


def _score(pictures: TrialSet, detector: Detector) -> SetScore:
    """Scores a set, and names on stderr the pictures that cannot be read."""
    scored = score(pictures, detector)
    for name, reason in scored.unreadable:
        say(f"{PROGRAM}: {pictures.name}: {name}: {reason}", sys.stderr)
    return scored


def _costs(measured: Sequence[TrialSet], detector: Detector) -> list[Cost]:
    reference = cost.open_reference()
    timed = [one for one in measured if one.name in _TIMED]
    costs = [cost.measure(one, detector, reference) for one in timed]
    return [one for one in costs if one is not None]
