"""Benchmark figures with their targets, and JSON files of them for later comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


class CannotMeasure(Exception):
    """A program or file that a benchmark needs is missing, or a measured program failed."""


@dataclass(frozen=True, slots=True)
class Target:
    """The limit that a figure should meet, in the figure's unit."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Tells whether a value meets the limit."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number(self.limit)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Attributes:
        name: What was measured; the same in every run, so that runs can be compared.
        value: The figure, or None if it was not measured.
        unit: Its unit; `x` for a ratio.
        target: The limit, or None for a figure without one.
        note: A remark, or the reason why the figure is missing.
    """

    name: str
    value: float | None
    unit: str = ""
    target: Target | None = None
    note: str = ""


def at_least(limit: float) -> Target:
    """A target for a figure where more is better."""
    return Target(limit, at_least=True)


def at_most(limit: float) -> Target:
    """A target for a figure where less is better."""
    return Target(limit)


def skipped(name: str, reason: str) -> Figure:
    """A row for a figure that was not measured."""
    return Figure(name, None, note=f"skipped: {reason}")


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Returns the median of the ratios of values measured in the same round.

    A busy machine slows both values of a round, so the ratio holds where two medians would not.

    Raises:
        ValueError: No rounds, or sequences of different length.
    """
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    if not ratios:
        raise ValueError("no rounds")
    return median(ratios)


def number(value: float) -> str:
    """Formats three significant digits without an exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    decimals = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{decimals}f}"


def save(path: Path, machine: Mapping[str, object], figures: Sequence[Figure]) -> None:
    """Writes the figures and the description of the machine as JSON."""
    rows = [
        {
            "name": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "target": figure.target and str(figure.target),
            "note": figure.note,
        }
        for figure in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "figures": rows}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def load_values(path: Path) -> dict[str, float]:
    """Reads the values of an earlier run by name.

    Raises:
        CannotMeasure: The file is not one that `save` wrote.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))["figures"]
        return {row["name"]: float(row["value"]) for row in rows if row["value"] is not None}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CannotMeasure(f"{path} is not a file of benchmark figures: {error!r}") from None
