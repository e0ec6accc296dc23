"""The command `image-gender-evaluate-boxes`: measures accuracy and CPU time of face detection."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.cli.argument_types import parse_min_face
from image_gender_classifier.detection import registry as detectors
from image_gender_classifier.detection.detector import Detector
from image_gender_classifier.errors import UsageError
from image_gender_classifier.loading import open_classifier
from image_gender_classifier.manifest.schema import ModelEntry
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.runtimes.registry import AUTO
from image_gender_classifier.train.common.command import (
    Parser,
    check_json_path,
    print_line,
    run_with_exit_code,
)
from image_gender_classifier.train.common.detector_option import format_cache_key, open_detector
from image_gender_classifier.train.datasets import DataError
from image_gender_classifier.train.evaluation.boxes import cost, report, sets
from image_gender_classifier.train.evaluation.boxes.cost import Cost
from image_gender_classifier.train.evaluation.boxes.report import Measurement
from image_gender_classifier.train.evaluation.boxes.scoring import SetScore, score_set
from image_gender_classifier.train.evaluation.boxes.trials import SkippedSet, TrialSet

PROGRAM = "image-gender-evaluate-boxes"
_TIMED = (sets.LFW, sets.CALTECH, sets.NO_FACE)  # sets that --time measures
_DESCRIPTION = (
    "Measures face detection: on portraits with known faces, upright and rotated, on pictures "
    "without a face, and on FairFace's validation crops, alone and pasted into backgrounds. Prints "
    "the fraction of pictures whose main face is correct, with 95% Wilson intervals, and the "
    "errors of the boxes. Skips sets whose folder does not exist."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `image-gender-evaluate-boxes`.

    Args:
        argv: Arguments without the program name; `sys.argv[1:]` by default.

    Returns:
        The exit code: 0 on success, 2 for wrong usage, data, models or runtime, 3 if the JSON file
        cannot be written, 129 after SIGHUP, 130 after SIGINT, 143 after SIGTERM.
    """
    return run_with_exit_code(PROGRAM, lambda: _evaluate(_parser().parse_args(argv)))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description=_DESCRIPTION, allow_abbrev=False)
    add = parser.add_argument
    add(
        "--data", type=Path, required=True, metavar="DIR",
        help="folder with the subfolders lfw, no_face, and caltech_faces and wider, the last two "
        "with a boxes.csv",
    )  # fmt: skip
    add(
        "--fairface", type=Path, metavar="DIR",
        help="FairFace folder, for its validation crops (default: skip the sets of crops)",
    )  # fmt: skip
    add(
        "--backgrounds", type=Path, metavar="DIR",
        help="folder of pictures without people, for composites (default: skip composites)",
    )  # fmt: skip
    add(
        "--detector", choices=detectors.detector_names(), default="network",
        help="network: as in inference; cascade: the LBP cascade and the network; lbp: the LBP "
        "cascade only; none: treat every picture as a face crop (default: network)",
    )  # fmt: skip
    add(
        "--runtime", choices=runtimes.runtime_names(),
        help="runtime of the networks (default: the first available)",
    )  # fmt: skip
    add(
        "--min-face", type=parse_min_face, metavar="S",
        help="side of the smallest face to detect, as a fraction of the "
        "picture's shorter side (default: as in inference)",
    )  # fmt: skip
    add(
        "--detected-frames", action="store_true",
        help="measure frames as detected, before the gender network corrects them (default: no)",
    )  # fmt: skip
    add(
        "--time", action="store_true",
        help=f"also measure the CPU time of detection, relative to {cost.REFERENCE} (default: no)",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="also write the figures as JSON (default: no)")
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    check_json_path(arguments.json)
    uses_networks = arguments.detector in ("network", "cascade")
    if arguments.runtime and not uses_networks:
        raise UsageError(f"--runtime has no effect with --detector {arguments.detector}; omit it")
    detector = open_detector(arguments.detector, arguments.runtime, arguments.min_face)
    corrects = uses_networks and not arguments.detected_frames
    classifier = _open_classifier(arguments.runtime) if corrects else None
    available = [
        *sets.make_portrait_sets(arguments.data),
        sets.make_crop_set(arguments.fairface),
        *sets.make_composite_sets(arguments.fairface, arguments.backgrounds),
    ]
    skipped = [entry for entry in available if isinstance(entry, SkippedSet)]
    for entry in skipped:
        print_line(f"{PROGRAM}: {entry.name}: skipped, {entry.reason}", sys.stderr)
    trial_sets = [entry for entry in available if isinstance(entry, TrialSet)]
    if not trial_sets:
        raise DataError(
            f"--data {arguments.data}: the folder contains none of the test sets; expected "
            "at least one of the folders lfw, caltech_faces, wider and no_face"
        )
    scores = [_score(trials, detector, classifier) for trials in trial_sets]
    costs = _measure_costs(trial_sets, detector) if arguments.time else []
    measurement = Measurement(
        format_cache_key(arguments.detector, detector),
        scores,
        skipped,
        costs,
        None if classifier is None else _describe(classifier.entry),
    )
    print_line(report.format_box_report(measurement), sys.stdout)
    if arguments.json is not None:
        write_atomic(
            arguments.json, report.box_report_to_json(measurement).encode("utf-8", "replace")
        )


def _open_classifier(runtime: str | None) -> Classifier | None:
    """Opens the shipped gender network if it corrects frames."""
    classifier = open_classifier(None, runtime or AUTO)
    return None if classifier.entry.frame_output is None else classifier


def _describe(entry: ModelEntry) -> str:
    return f"{entry.file} ({entry.sha256[:8]})"


def _score(pictures: TrialSet, detector: Detector, classifier: Classifier | None) -> SetScore:
    """Scores a detector on a set and prints the unreadable pictures to stderr."""
    scored = score_set(pictures, detector, classifier)
    for name, reason in scored.unreadable:
        print_line(f"{PROGRAM}: {pictures.name}: {name}: {reason}", sys.stderr)
    return scored


def _measure_costs(trial_sets: Sequence[TrialSet], detector: Detector) -> list[Cost]:
    """Measures the CPU time of detection on the sets in `_TIMED`; omits sets without pictures."""
    reference = cost.open_reference_detector()
    timed = [trials for trials in trial_sets if trials.name in _TIMED]
    costs = [cost.measure_cost(trials, detector, reference) for trials in timed]
    return [measured for measured in costs if measured is not None]
