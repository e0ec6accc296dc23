"""The table that a person reads: each figure beside its target and its change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.figures import Figure, change, number

_HEADINGS = ("what", "figure", "target", "met", "change", "note")
_TO_THE_RIGHT = frozenset(("figure", "change"))


def lines(figures: Sequence[Figure], before: Mapping[str, float] | None = None) -> list[str]:
    """Lays figures out as a table.

    Args:
        figures: The figures, in the order of the rows.
        before: An earlier run's values by name; without it there is no column for the change.
    """
    rows = [_HEADINGS, *(_cells(figure, before or {}) for figure in figures)]
    chosen = [i for i, name in enumerate(_HEADINGS) if before is not None or name != "change"]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    laid_out = []
    for row in rows:
        cells = [
            row[i].rjust(widths[i]) if _HEADINGS[i] in _TO_THE_RIGHT else row[i].ljust(widths[i])
            for i in chosen
        ]
        laid_out.append("  ".join(cells).rstrip())
    return [laid_out[0], "-" * len(laid_out[0]), *laid_out[1:]]


def _cells(figure: Figure, before: Mapping[str, float]) -> tuple[str, ...]:
    if figure.value is None:
        return figure.name, "–", "", "", "", figure.note
    met = "" if figure.target is None else "yes" if figure.target.met(figure.value) else "NO"
    target = "" if figure.target is None else str(figure.target)
    shown = f"{number(figure.value)} {figure.unit}".rstrip()
    return figure.name, shown, target, met, _change(figure, before), figure.note


def _change(figure: Figure, before: Mapping[str, float]) -> str:
    if figure.value is None or figure.name not in before:
        return "new"
    share = change(figure.value, before[figure.name])
    return "" if share is None else f"{share:+.1%}"
