"""Horizontal bar charts of accuracies with 95% intervals, one panel per kind of group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from image_gender_classifier.train.evaluation.evaluation_report import format_proportion
from image_gender_classifier.train.evaluation.metrics import Proportion

# From the palette of Okabe and Ito, which colour-blind people can distinguish.
BLUE, ORANGE = "#0072B2", "#D55E00"
WIDTH = 8.0  # inches
_CHANCE = 0.5


def plot_accuracy_bars(
    kinds: Mapping[str, Mapping[str, Proportion]],
    whole: Proportion,
    whole_name: str,
    note: Callable[[Proportion], str],
) -> Figure:
    """Plots accuracies as bars that start at chance (50%), with a line at the overall accuracy.

    Args:
        kinds: Accuracy by kind of group, then by label, each with n > 0; one panel per kind.
            Neither `kinds` nor a kind may be empty.
        whole: The overall accuracy.
        whole_name: Name of the overall accuracy in the legend.
        note: Function that formats the text beside a bar from its accuracy.

    Returns:
        The Matplotlib figure.
    """
    heights = [len(cells) + 1 for cells in kinds.values()]
    figure = Figure((WIDTH, 0.24 * sum(heights) + 1.0), layout="constrained")
    rows = figure.subplots(len(kinds), sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (kind, cells) in zip(rows, kinds.items(), strict=True):
        line = axes.axvline(whole.value or 0.0, color=ORANGE, linestyle="--", linewidth=1.2)
        _draw_bars(axes, cells, note)
        axes.set_title(kind, loc="left")
    lows = [cell.low for cells in kinds.values() for cell in cells.values()]
    rows[-1].set(
        xlim=(min(_CHANCE, np.floor(min(lows) * 20) / 20), 1),
        xlabel="accuracy with 95 % interval; bars start at chance, 50 %",
    )
    rows[-1].xaxis.set_major_formatter(PercentFormatter(1, 0, " %"))
    figure.legend([line], [f"{whole_name}: {format_proportion(whole)}"], loc="outside upper right")
    return figure


def _draw_bars(
    axes: Axes, cells: Mapping[str, Proportion], note: Callable[[Proportion], str]
) -> None:
    """Draws one bar with an error bar, a label and a note for each accuracy, the first on top."""
    rows = range(len(cells))
    values = [cell.value or 0.0 for cell in cells.values()]
    axes.barh(
        rows, [value - _CHANCE for value in values], left=_CHANCE, height=0.7, color=BLUE,
        alpha=0.45,
    )  # fmt: skip
    axes.errorbar(
        values, rows, xerr=interval_lengths(list(cells.values())), fmt="o", color=BLUE,
        markersize=3, capsize=2, linewidth=1.2,
    )  # fmt: skip
    axes.set_yticks(rows, list(cells))
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.axvline(_CHANCE, color="black", linewidth=0.8)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    for row, cell in enumerate(cells.values()):
        axes.text(
            1.01, row, note(cell), transform=axes.get_yaxis_transform(), va="center", fontsize=9
        )  # fmt: skip


def interval_lengths(proportions: Sequence[Proportion]) -> list[list[float]]:
    """Computes the lengths of the error bars of N proportions from their intervals.

    Returns:
        N lengths below and N lengths above the values, as Matplotlib's `xerr` and `yerr` expect.
    """
    values = [proportion.value or 0.0 for proportion in proportions]
    pairs = list(zip(values, proportions, strict=True))
    below = [value - proportion.low for value, proportion in pairs]
    above = [proportion.high - value for value, proportion in pairs]
    return [below, above]
