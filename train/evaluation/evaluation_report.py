"""Formats the scores of a gender classifier as a text table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from image_gender_classifier.train.datasets import Split
from image_gender_classifier.train.datasets.age_bands import AGE_BANDS
from image_gender_classifier.train.evaluation.metrics import (
    BINS,
    RACE_AND_GENDER,
    Proportion,
    Scores,
)
from image_gender_classifier.train.evaluation.robustness import CLEAN

_FEW = 20  # pictures; the accuracy of fewer is shown as a count
_COLUMNS = "{:<34}{:>9}  {:>8}  {:>16}"


@dataclass(frozen=True, slots=True)
class Setting:
    """The model and the data of an evaluation; the JSON contains all fields.

    Attributes:
        model: File name of the model.
        sha256: SHA-256 of the model file.
        data: Folder of the data set.
        layout: Value of `--layout`.
        split: The evaluated split.
        detector: Value of `--detector`.
        threshold: Confidence (0 to 1) below which a prediction is `uncertain`.
        degradation: Name of the degradation of each face; "original" for none.
    """

    model: str
    sha256: str
    data: str
    layout: str
    split: Split
    detector: str
    threshold: float
    degradation: str = CLEAN.name


def scores_to_json(scores: Scores, setting: Setting) -> str:
    """Serialises scores as a JSON object.

    Fractions are from 0 to 1, or null if there are no pictures to compute them from; `low` and
    `high` are the ends of a 95% interval. The key `tpr` is the true positive rate by gender, `ece`
    the expected calibration error, and `share` in `classified` the fraction of classified crops.
    """
    content = {
        **asdict(setting),
        "n": scores.n,
        "predicted": scores.predicted,
        "accuracy": _interval_to_json(scores.accuracy),
        "tpr": {gender: asdict(rate) for gender, rate in scores.tpr.items()},
        "balanced_accuracy": scores.balanced_accuracy,
        "groups": {
            kind: {label: asdict(cells[label]) for label in sort_labels(kind, cells)}
            for kind, cells in scores.groups.items()
        },
        "ece": scores.ece,
        "classified": {
            "share": scores.classified.value,
            "accuracy": scores.classified_accuracy.value,
        },
        "no_face": scores.no_face.value,
        "unreadable": scores.unreadable,
        "accuracy_all": _interval_to_json(scores.accuracy_all),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def format_scores(scores: Scores, setting: Setting) -> str:
    """Formats scores as a text table for the terminal."""
    return "\n".join(
        [
            *_head_lines(scores, setting),
            "",
            *_table_lines(scores, setting),
            "",
            *_foot_lines(scores),
        ]
    )


def format_proportion(proportion: Proportion) -> str:
    """Formats a proportion as a percentage, such as "93.4 %"; "-" if its value is None."""
    return "-" if proportion.value is None else f"{format_percent(proportion.value)} %"


def format_rate(proportion: Proportion) -> str:
    """Formats a proportion as `format_proportion`, but one of few pictures as "2 of 2".

    A percentage would promise too much.
    """
    if proportion.value is None or proportion.n >= _FEW:
        return format_proportion(proportion)
    return f"{round(proportion.value * proportion.n)} of {proportion.n}"


def format_interval(proportion: Proportion) -> str:
    """Formats the interval of a proportion as percentages, such as "92.4 to 94.3"."""
    return f"{format_percent(proportion.low)} to {format_percent(proportion.high)}"


def format_percent(value: float) -> str:
    """Formats a fraction as a percentage without "%", such as "93.4"."""
    return f"{100 * value:.1f}"


def format_difference(one: Proportion, other: Proportion) -> str:
    """Formats `one` minus `other` in percentage points, such as "+0.2"; None counts as 0."""
    return f"{100 * ((one.value or 0.0) - (other.value or 0.0)):+.1f}"


def find_lowest(cells: Mapping[str, Proportion]) -> str:
    """Returns the label with the lowest proportion (the first if tied); None counts as 0.

    `cells` must not be empty.
    """
    return min(cells, key=lambda label: cells[label].value or 0.0)


def sort_labels(kind: str, cells: Iterable[str]) -> list[str]:
    """Sorts the labels of a kind of group: age bands by age, other labels alphabetically.

    Args:
        kind: Kind of group, such as "age".
        cells: The labels.
    """
    if kind != "age":
        return sorted(cells)
    rank = {band: number for number, band in enumerate(AGE_BANDS)}
    return sorted(cells, key=lambda label: (rank.get(label, len(rank)), label))


def _head_lines(scores: Scores, setting: Setting) -> Iterator[str]:
    yield f"model     {setting.model} ({setting.sha256[:8]}), threshold {setting.threshold:g}"
    yield f"data      {setting.data} ({setting.layout}, {setting.split})"
    pictures = f"pictures  {scores.n:,}, detector {setting.detector}"
    if setting.detector != "none":
        pictures += f", no face {format_proportion(scores.no_face)}"
    if setting.degradation != CLEAN.name:
        pictures += f", {setting.degradation}"
    yield f"{pictures}, unreadable {scores.unreadable:,}"


def _table_lines(scores: Scores, setting: Setting) -> Iterator[str]:
    yield _COLUMNS.format("", "n", "accuracy", "95% interval")
    if scores.predicted == scores.n:
        yield _format_row("all pictures", scores.accuracy)
    else:
        faces = "pictures read" if setting.detector == "none" else "faces found"
        yield _format_row(faces, scores.accuracy)
        yield _format_row("all (no prediction is wrong)", scores.accuracy_all)
    yield _format_row(f"confidence >= {setting.threshold:g}", scores.classified_accuracy)
    yield "true positive rate"
    for gender, rate in scores.tpr.items():
        yield _format_row(f"  {gender}", rate)
    for kind, cells in scores.groups.items():
        yield kind
        for label in sort_labels(kind, cells):
            yield _format_row(f"  {label}", cells[label])


def _foot_lines(scores: Scores) -> Iterator[str]:
    cells = scores.groups.get(RACE_AND_GENDER, {})
    if cells:
        label = find_lowest(cells)
        cell = cells[label]
        accuracy = f"{format_rate(cell)} ({format_interval(cell)})"
        yield f"lowest {RACE_AND_GENDER} cell: {label}, {accuracy}"
    if scores.balanced_accuracy is not None:
        balanced = format_percent(scores.balanced_accuracy)
        yield f"balanced accuracy (mean of both rates): {balanced} %"
    yield f"classified (confidence reaches the threshold): {format_proportion(scores.classified)}"
    if scores.ece is not None:
        yield f"expected calibration error ({BINS} bins): {scores.ece:.4f}"


def _format_row(name: str, proportion: Proportion) -> str:
    interval = "" if proportion.value is None else format_interval(proportion)
    value = format_rate(proportion)
    return _COLUMNS.format(name, f"{proportion.n:,}", value, interval).rstrip()


def _interval_to_json(proportion: Proportion) -> dict[str, Any]:
    return {"value": proportion.value, "low": proportion.low, "high": proportion.high}
