"""What was measured: figures with their targets, kept as JSON, compared with earlier ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


class CannotMeasure(Exception):
    """Something that a figure needs is not here; says what in one sentence."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach.

    Attributes:
        limit: The limit, in the figure's unit.
        at_least: Whether larger is better.
    """

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Tells whether a value reaches it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number(self.limit)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What was measured; the same in every run, so that runs can be compared.
        value: The figure, or None where it could not be measured.
        unit: Its unit; `x` for a ratio.
        target: What it should reach, or None where it is for information.
        note: What a reader should know of it, or why it was not measured.
    """

    name: str
    value: float | None
    unit: str = ""
    target: Target | None = None
    note: str = ""


def at_least(limit: float) -> Target:
    """A target that larger values reach."""
    return Target(limit, at_least=True)


def at_most(limit: float) -> Target:
    """A target that smaller values reach."""
    return Target(limit)


def skipped(name: str, why: str) -> Figure:
    """A line for what could not be measured."""
    return Figure(name, None, note=f"skipped: {why}")


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the ratios of values that were measured side by side.

    A machine that is slowed down for a while slows both halves of a pair, so that their ratio
    stays what it is; a ratio of two medians would not.

    Args:
        above: Numerators, one a round.
        below: Denominators of the same rounds.

    Raises:
        ValueError: There is no round, or a half of one is missing.
    """
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    if not ratios:
        raise ValueError("no round was measured")
    return median(ratios)


def change(value: float, before: float) -> float | None:
    """How much larger a value is than before, as a share; None where that means nothing."""
    return None if before == 0 else value / before - 1


def number(value: float) -> str:
    """Three significant digits without an exponent; all digits before the point."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    decimals = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{decimals}f}"


def save(path: Path, machine: Mapping[str, object], figures: Sequence[Figure]) -> None:
    """Writes figures and what they were measured on as JSON."""
    rows = [
        {
            "name": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "target": None if figure.target is None else str(figure.target),
            "met": None
            if figure.target is None or figure.value is None
            else figure.target.met(figure.value),
            "note": figure.note,
        }
        for figure in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "figures": rows}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def load_values(path: Path) -> dict[str, float]:
    """Reads the figures of an earlier run: from their names to their values.

    Raises:
        CannotMeasure: The file is not one that `save` wrote.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))["figures"]
        return {row["name"]: float(row["value"]) for row in rows if row["value"] is not None}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CannotMeasure(f"{path}: cannot be read as earlier figures ({error!r})") from None
