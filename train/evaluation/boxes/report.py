"""Formatting of a face detection evaluation as a text table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from image_gender_classifier.train.evaluation.boxes import framing
from image_gender_classifier.train.evaluation.boxes.cost import REFERENCE, Cost
from image_gender_classifier.train.evaluation.boxes.framing import Fit, Spread
from image_gender_classifier.train.evaluation.boxes.scoring import SetScore, StageCount
from image_gender_classifier.train.evaluation.boxes.trials import Skipped
from image_gender_classifier.train.evaluation.evaluation_report import interval_text, share_text

_SETS = "{:<30}{:>9}  {:>8}  {:>16}   {}"
_FRAMES = "{:<30}{:>9}  {:>20}  {:>23}  {:>23}"
_COSTS = "{:<30}{:>9}  {:>8}  {:>8}  {:>6}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """The results of an evaluation.

    Attributes:
        detector: The detector's name and cache key.
        scores: One score per set.
        skipped: The sets that were not evaluated.
        costs: One per timed set; empty if not measured.
    """

    detector: str
    scores: Sequence[SetScore]
    skipped: Sequence[Skipped]
    costs: Sequence[Cost]


def table(measurement: Measurement) -> str:
    """Formats the results as a table."""
    parts = [
        list(_set_rows(measurement.scores)),
        list(_any_rows(measurement.scores)),
        list(_frame_rows(measurement.scores)),
        list(_cost_rows(measurement.costs)),
    ]
    return "\n\n".join(
        [f"detector  {measurement.detector}", *("\n".join(rows) for rows in parts if rows)]
    )


def to_json(measurement: Measurement) -> str:
    """Formats the results as JSON: fractions from 0 to 1, null for a fraction of zero pictures."""
    content = {
        "detector": measurement.detector,
        "sets": {score.name: _set(score) for score in measurement.scores},
        "skipped": {one.name: one.reason for one in measurement.skipped},
        "cost": {cost.name: _cost(cost) for cost in measurement.costs},
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _set_rows(scores: Sequence[SetScore]) -> Iterator[str]:
    yield _SETS.format("", "pictures", "right", "95% interval", "right of found, by stage")
    for score in scores:
        share = score.right
        interval = "" if share.value is None else interval_text(share)
        stages = _stages_text(score.stages)
        yield _SETS.format(score.name, f"{share.n:,}", share_text(share), interval, stages)
        if score.unreadable:
            yield f"  and {len(score.unreadable):,} unreadable"


def _any_rows(scores: Sequence[SetScore]) -> Iterator[str]:
    """Lists the sets in which a face other than the main one is correct."""
    differing = [score for score in scores if score.any_right.value != score.right.value]
    if differing:
        yield "any of the faces found is right"
    for score in differing:
        share = score.any_right
        yield _SETS.format(
            f"  {score.name}", f"{share.n:,}", share_text(share), interval_text(share), ""
        ).rstrip()


def _frame_rows(scores: Sequence[SetScore]) -> Iterator[str]:
    framed = [score for score in scores if score.fits]
    if not framed:
        return
    low, high = 1 - framing.SIDE_TARGET, 1 + framing.SIDE_TARGET
    percentiles = ", ".join(map(str, framing.PERCENTILES))
    yield f"frame errors of correct faces, percentiles {percentiles}"
    yield (
        f"(targets: side {low:.2f} to {high:.2f}, centre within {framing.CENTRE_TARGET:.2f} of it)"
    )
    yield _FRAMES.format("", "frames", "side", "right", "down")
    for score in framed:
        yield _frame_row(score.name, framing.spread(score.fits))
        stages = _by_stage(score)
        if len(stages) > 1:
            for stage, fits in stages.items():
                yield _frame_row(f"  {stage}", framing.spread(fits))


def _frame_row(name: str, spread: Spread) -> str:
    side = " ".join(f"{value:6.3f}" for value in spread.side)
    right, down = (
        " ".join(f"{value:+7.3f}" for value in values) for values in (spread.right, spread.down)
    )
    return _FRAMES.format(name, f"{spread.n:,}", side, right, down)


def _cost_rows(costs: Sequence[Cost]) -> Iterator[str]:
    if costs:
        yield "CPU time of finding on one thread, milliseconds a picture"
        yield _COSTS.format("", "pictures", "detector", REFERENCE, "ratio")
    for cost in costs:
        yield _COSTS.format(
            cost.name, f"{cost.n:,}", f"{cost.find:.2f}", f"{cost.reference:.2f}",
            f"{cost.ratio:.2f}",
        )  # fmt: skip


def _stages_text(stages: Mapping[str, StageCount]) -> str:
    counts = (f"{stage} {count.right:,} of {count.found:,}" for stage, count in stages.items())
    return ", ".join(counts)


def _by_stage(score: SetScore) -> dict[str, list[Fit]]:
    """Groups a set's fits by detector stage, in the detector's order."""
    stages = {stage: [fit for fit in score.fits if fit.stage == stage] for stage in score.stages}
    return {stage: fits for stage, fits in stages.items() if fits}


def _set(score: SetScore) -> dict[str, object]:
    content: dict[str, object] = {
        "right": asdict(score.right),
        "any_right": asdict(score.any_right),
        "stages": {stage: asdict(count) for stage, count in score.stages.items()},
        "unreadable": len(score.unreadable),
    }
    if score.fits:
        stages = _by_stage(score).items()
        content["framing"] = {
            "percentiles": framing.PERCENTILES,
            "all": asdict(framing.spread(score.fits)),
            "stages": {stage: asdict(framing.spread(fits)) for stage, fits in stages},
            "meets_targets": framing.meets_targets(framing.spread(score.fits)),
        }
    return content


def _cost(cost: Cost) -> dict[str, object]:
    return {
        "pictures": cost.n,
        "milliseconds": cost.find,
        f"{REFERENCE}_milliseconds": cost.reference,
        "ratio": cost.ratio,
    }
