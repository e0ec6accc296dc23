"""The printed table: each figure with its target and its change since an earlier run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.figures import Figure, number

_HEADINGS = ("what", "figure", "target", "met", "change", "note")
_RIGHT_ALIGNED = frozenset(("figure", "change"))


def lines(figures: Sequence[Figure], before: Mapping[str, float] | None = None) -> list[str]:
    """Formats figures as a table.

    Args:
        figures: The rows, in order.
        before: Values of an earlier run by name; without it there is no column `change`.
    """
    rows = [_HEADINGS, *(_cells(figure, before or {}) for figure in figures)]
    shown = [i for i, name in enumerate(_HEADINGS) if before is not None or name != "change"]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    table = []
    for row in rows:
        cells = [
            row[i].rjust(widths[i]) if _HEADINGS[i] in _RIGHT_ALIGNED else row[i].ljust(widths[i])
            for i in shown
        ]
        table.append("  ".join(cells).rstrip())
    return [table[0], "-" * len(table[0]), *table[1:]]


def _cells(figure: Figure, before: Mapping[str, float]) -> tuple[str, ...]:
    if figure.value is None:
        return figure.name, "–", "", "", "", figure.note
    met = "" if figure.target is None else "yes" if figure.target.met(figure.value) else "NO"
    target = "" if figure.target is None else str(figure.target)
    value = f"{number(figure.value)} {figure.unit}".rstrip()
    return (
        figure.name,
        value,
        target,
        met,
        _change(figure.value, before.get(figure.name)),
        figure.note,
    )


def _change(value: float, before: float | None) -> str:
    if before is None:
        return "new"
    return f"{value / before - 1:+.1%}" if before else ""
