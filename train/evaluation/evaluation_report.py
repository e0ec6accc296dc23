"""Formatting of an evaluation as a text table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from image_gender_classifier.train.datasets.age_bands import AGE_BANDS
from image_gender_classifier.train.evaluation.metrics import (
    BINS,
    RACE_AND_GENDER,
    Proportion,
    Scores,
)

_COLUMNS = "{:<34}{:>9}  {:>8}  {:>16}"


@dataclass(frozen=True, slots=True)
class Setting:
    """What was evaluated; the JSON contains all fields.

    Attributes:
        model: The model's file name.
        sha256: The model's hash.
        data: Folder of the data set.
        layout: Layout of the data set.
        split: The evaluated part.
        detector: The detector.
        threshold: Lowest confidence of a classified crop.
    """

    model: str
    sha256: str
    data: str
    layout: str
    split: str
    detector: str
    threshold: float


def to_json(scores: Scores, setting: Setting) -> str:
    """Formats scores as JSON: fractions from 0 to 1, null for a fraction of zero pictures."""
    content = {
        **asdict(setting),
        "n": scores.n,
        "predicted": scores.predicted,
        "accuracy": _interval(scores.accuracy),
        "tpr": {gender: asdict(rate) for gender, rate in scores.tpr.items()},
        "balanced_accuracy": scores.balanced_accuracy,
        "groups": {
            kind: {label: asdict(cells[label]) for label in in_order(kind, cells)}
            for kind, cells in scores.groups.items()
        },
        "ece": scores.ece,
        "classified": {
            "share": scores.classified.value,
            "accuracy": scores.classified_accuracy.value,
        },
        "no_face": scores.no_face.value,
        "unreadable": scores.unreadable,
        "accuracy_all": _interval(scores.accuracy_all),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def table(scores: Scores, setting: Setting) -> str:
    """Formats scores as a table."""
    return "\n".join([*_head(scores, setting), "", *_rows(scores, setting), "", *_foot(scores)])


def share_text(share: Proportion) -> str:
    """Formats a share in per cent; "-" if it is None."""
    return "-" if share.value is None else f"{percent(share.value)} %"


def interval_text(share: Proportion) -> str:
    """Formats a share's interval in per cent."""
    return f"{percent(share.low)} to {percent(share.high)}"


def percent(value: float) -> str:
    """Formats a fraction as a percentage."""
    return f"{100 * value:.1f}"


def difference_text(share: Proportion, whole: Proportion) -> str:
    """Formats the difference of two shares in percentage points, with its sign."""
    return f"{100 * ((share.value or 0.0) - (whole.value or 0.0)):+.1f}"


def lowest(cells: Mapping[str, Proportion]) -> str:
    """Gives the label of the lowest share."""
    return min(cells, key=lambda label: cells[label].value or 0.0)


def in_order(kind: str, cells: Mapping[str, Proportion]) -> list[str]:
    """Sorts the labels of a kind: age bands by age, others by name."""
    if kind != "age":
        return sorted(cells)
    place = {band: number for number, band in enumerate(AGE_BANDS)}
    return sorted(cells, key=lambda label: (place.get(label, len(place)), label))


def _head(scores: Scores, setting: Setting) -> Iterator[str]:
    yield f"model     {setting.model} ({setting.sha256[:8]}), threshold {setting.threshold:g}"
    yield f"data      {setting.data} ({setting.layout}, {setting.split})"
    pictures = f"pictures  {scores.n:,}, detector {setting.detector}"
    if setting.detector != "none":
        pictures += f", no face {share_text(scores.no_face)}"
    yield f"{pictures}, unreadable {scores.unreadable:,}"


def _rows(scores: Scores, setting: Setting) -> Iterator[str]:
    yield _COLUMNS.format("", "n", "accuracy", "95% interval")
    if scores.predicted == scores.n:
        yield _row("all pictures", scores.accuracy)
    else:
        faces = "pictures read" if setting.detector == "none" else "faces found"
        yield _row(faces, scores.accuracy)
        yield _row("all (no prediction is wrong)", scores.accuracy_all)
    yield _row(f"confidence >= {setting.threshold:g}", scores.classified_accuracy)
    yield "true positive rate"
    for gender, rate in scores.tpr.items():
        yield _row(f"  {gender}", rate)
    for kind, cells in scores.groups.items():
        yield kind
        for label in in_order(kind, cells):
            yield _row(f"  {label}", cells[label])


def _foot(scores: Scores) -> Iterator[str]:
    cells = scores.groups.get(RACE_AND_GENDER, {})
    if cells:
        label = lowest(cells)
        cell = cells[label]
        yield f"lowest {RACE_AND_GENDER} cell: {label}, {share_text(cell)} ({interval_text(cell)})"
    if scores.balanced_accuracy is not None:
        yield f"balanced accuracy (mean of both rates): {percent(scores.balanced_accuracy)} %"
    yield f"classified (confidence reaches the threshold): {share_text(scores.classified)}"
    if scores.ece is not None:
        yield f"expected calibration error ({BINS} bins): {scores.ece:.4f}"


def _row(name: str, share: Proportion) -> str:
    interval = "" if share.value is None else interval_text(share)
    return _COLUMNS.format(name, f"{share.n:,}", share_text(share), interval).rstrip()


def _interval(share: Proportion) -> dict[str, Any]:
    return {"value": share.value, "low": share.low, "high": share.high}
