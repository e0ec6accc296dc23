"""Formats the results of a face detection evaluation as a text table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from image_gender_classifier.train.evaluation.boxes import framing
from image_gender_classifier.train.evaluation.boxes.cost import REFERENCE, Cost
from image_gender_classifier.train.evaluation.boxes.framing import ErrorPercentiles, FrameError
from image_gender_classifier.train.evaluation.boxes.scoring import SetScore, StageCount
from image_gender_classifier.train.evaluation.boxes.trials import SkippedSet
from image_gender_classifier.train.evaluation.evaluation_report import (
    format_interval,
    format_proportion,
)

_SETS = "{:<30}{:>9}  {:>8}  {:>16}   {}"
_FRAMES = "{:<30}{:>9}  {:>20}  {:>23}  {:>23}"
_COSTS = "{:<30}{:>9}  {:>8}  {:>8}  {:>6}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The results of a face detection evaluation.

    Attributes:
        detector: Cache key of the detector, which starts with its name.
        scores: Score of each set.
        skipped: The sets that were not evaluated, with the reasons.
        costs: CPU time of each timed set; empty if not measured.
        corrected_by: Name and hash of the gender network that has corrected the frames; None if
            they are as detected.
    """

    detector: str
    scores: Sequence[SetScore]
    skipped: Sequence[SkippedSet]
    costs: Sequence[Cost]
    corrected_by: str | None = None


def format_box_report(measurement: Measurement) -> str:
    """Formats the results as text tables for the terminal."""
    correction = measurement.corrected_by
    header = (
        f"detector  {measurement.detector}\n"
        f"frames    {'as detected' if correction is None else f'corrected by {correction}'}"
    )
    parts = [
        list(_set_rows(measurement.scores)),
        list(_any_rows(measurement.scores)),
        list(_frame_rows(measurement.scores)),
        list(_cost_rows(measurement.costs)),
    ]
    return "\n\n".join([header, *("\n".join(rows) for rows in parts if rows)])


def box_report_to_json(measurement: Measurement) -> str:
    """Serialises the results as a JSON object.

    Fractions are from 0 to 1 (null if no picture was scored), times are in milliseconds per
    picture, frame errors are relative to the true side. The key `right` of a set is the fraction of
    pictures whose main face is correct, `any_right` of those with any correct face, each with its
    95% interval; within `framing`, `right` is the offset to the right.
    """
    content = {
        "detector": measurement.detector,
        "corrected_by": measurement.corrected_by,
        "sets": {score.name: _score_to_json(score) for score in measurement.scores},
        "skipped": {skipped.name: skipped.reason for skipped in measurement.skipped},
        "cost": {cost.name: _cost_to_json(cost) for cost in measurement.costs},
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _set_rows(scores: Sequence[SetScore]) -> Iterator[str]:
    """Yields the table of correct main faces: a header, then the rows of each set."""
    yield _SETS.format("", "pictures", "correct", "95% interval", "correct of found, by stage")
    for score in scores:
        correct = score.correct
        interval = "" if correct.value is None else format_interval(correct)
        stages = _format_stages(score.stages)
        yield _SETS.format(
            score.name, f"{correct.n:,}", format_proportion(correct), interval, stages
        )
        if score.unreadable:
            yield f"  and {len(score.unreadable):,} unreadable"


def _any_rows(scores: Sequence[SetScore]) -> Iterator[str]:
    """Yields the table of the sets whose score is higher if any detected face may be correct.

    Yields nothing if there is no such set.
    """
    differing = [score for score in scores if score.any_correct.value != score.correct.value]
    if differing:
        yield "any of the detected faces is correct"
    for score in differing:
        correct = score.any_correct
        yield _SETS.format(
            f"  {score.name}",
            f"{correct.n:,}",
            format_proportion(correct),
            format_interval(correct),
            "",
        ).rstrip()


def _frame_rows(scores: Sequence[SetScore]) -> Iterator[str]:
    """Yields the table of frame errors by set and stage; yields nothing if there are none."""
    framed = [score for score in scores if score.frame_errors]
    if not framed:
        return
    low, high = 1 - framing.SIDE_TARGET, 1 + framing.SIDE_TARGET
    percentiles = ", ".join(map(str, framing.PERCENTILES))
    yield f"frame errors of correct faces, percentiles {percentiles}"
    yield (
        f"(fractions of the true side; targets: side {low:.2f} to {high:.2f}, centre within "
        f"{framing.CENTRE_TARGET:.2f})"
    )
    yield _FRAMES.format("", "frames", "side", "right", "down")
    for score in framed:
        yield _frame_row(score.name, framing.compute_error_percentiles(score.frame_errors))
        stages = _group_errors_by_stage(score)
        if len(stages) > 1:
            for stage, errors in stages.items():
                yield _frame_row(f"  {stage}", framing.compute_error_percentiles(errors))


def _frame_row(name: str, errors: ErrorPercentiles) -> str:
    side = " ".join(f"{value:6.3f}" for value in errors.side)
    right, down = (
        " ".join(f"{value:+7.3f}" for value in values) for values in (errors.right, errors.down)
    )
    return _FRAMES.format(name, f"{errors.n:,}", side, right, down)


def _cost_rows(costs: Sequence[Cost]) -> Iterator[str]:
    """Yields the table of CPU times; yields nothing if none was measured."""
    if costs:
        yield "CPU time of detection on one thread, milliseconds per picture"
        yield _COSTS.format("", "pictures", "detector", REFERENCE, "ratio")
    for cost in costs:
        yield _COSTS.format(
            cost.name, f"{cost.n:,}", f"{cost.detector:.2f}", f"{cost.reference:.2f}",
            f"{cost.ratio:.2f}",
        )  # fmt: skip


def _format_stages(stages: Mapping[str, StageCount]) -> str:
    counts = (f"{stage} {count.correct:,} of {count.found:,}" for stage, count in stages.items())
    return ", ".join(counts)


def _group_errors_by_stage(score: SetScore) -> dict[str, list[FrameError]]:
    """Groups the frame errors of a set by detector stage, in the detector's order.

    Omits stages without frame errors.
    """
    stages = {
        stage: [error for error in score.frame_errors if error.stage == stage]
        for stage in score.stages
    }
    return {stage: errors for stage, errors in stages.items() if errors}


def _score_to_json(score: SetScore) -> dict[str, object]:
    content: dict[str, object] = {
        "right": asdict(score.correct),
        "any_right": asdict(score.any_correct),
        "stages": {
            stage: {"found": count.found, "right": count.correct}
            for stage, count in score.stages.items()
        },
        "unreadable": len(score.unreadable),
    }
    if score.frame_errors:
        stages = _group_errors_by_stage(score).items()
        content["framing"] = {
            "percentiles": framing.PERCENTILES,
            "all": asdict(framing.compute_error_percentiles(score.frame_errors)),
            "stages": {
                stage: asdict(framing.compute_error_percentiles(errors)) for stage, errors in stages
            },
            "meets_targets": framing.meets_targets(
                framing.compute_error_percentiles(score.frame_errors)
            ),
        }
    return content


def _cost_to_json(cost: Cost) -> dict[str, object]:
    return {
        "pictures": cost.n,
        "milliseconds": cost.detector,
        f"{REFERENCE}_milliseconds": cost.reference,
        "ratio": cost.ratio,
    }
