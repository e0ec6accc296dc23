"""The plots of an evaluation report as PNG files.

Equal findings result in byte-identical files, with the same release of Matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from image_gender_classifier.results import Gender
from image_gender_classifier.train.evaluation.bars import (
    BLUE,
    ORANGE,
    WIDTH,
    interval_lengths,
    plot_accuracy_bars,
)
from image_gender_classifier.train.evaluation.evaluation_report import (
    format_difference,
    format_proportion,
    sort_labels,
)
from image_gender_classifier.train.evaluation.findings import (
    Confusion,
    Findings,
    compute_confusion,
    compute_coverage,
    compute_reliability,
)
from image_gender_classifier.train.evaluation.metrics import GENDERS

_GREY = "#666666"
_DPI = 150
_STYLE = {
    "font.family": "DejaVu Sans",  # bundled with Matplotlib
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.grid": False,
    "legend.frameon": False,
    "text.parse_math": False,
}
_MIN_PICTURES = 50  # the accuracy of fewer pictures is too noisy to plot


def draw_all_figures(findings: Findings) -> dict[str, bytes]:
    """Draws all plots of a report.

    Args:
        findings: The contents of the report, with at least one prediction.

    Returns:
        Content of each PNG file by file name.
    """
    drawn = {
        "reliability.png": _draw_reliability,
        "coverage.png": _draw_coverage,
        "groups.png": _draw_groups,
        "confusion.png": _draw_confusion,
        "robustness.png": _draw_robustness,
    }
    # Ignores the user's Matplotlib style.
    with style.context(["default", _STYLE]):
        return {name: _render_png(draw(findings)) for name, draw in drawn.items()}


def _render_png(figure: Figure) -> bytes:
    """Renders a figure as PNG, without the metadata that contain Matplotlib's version."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    return file.getvalue()


def _draw_reliability(findings: Findings) -> Figure:
    """Draws the reliability diagram, with a histogram of the confidences below it."""
    bins = compute_reliability(findings.predictions)
    figure = Figure((WIDTH * 0.75, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    upper.plot((0.5, 1), (0.5, 1), "--", color=_GREY, label="perfect calibration")
    upper.errorbar(
        [part.confidence for part in bins],
        [part.accuracy.value or 0.0 for part in bins],
        yerr=interval_lengths([part.accuracy for part in bins]),
        fmt="o-", color=BLUE, capsize=3, label="measured, 95 % interval",
    )  # fmt: skip
    upper.set(ylabel="accuracy", title=f"Reliability, ECE {findings.scores.ece:.3f}")
    upper.legend(loc="upper left")
    widths = [part.high - part.low for part in bins]
    counts = [part.accuracy.n for part in bins]
    bars = lower.bar(
        [part.low for part in bins], counts, widths, align="edge", color=BLUE, edgecolor="white"
    )
    lower.bar_label(bars, [f"{count:,}" for count in counts], fontsize=7, padding=1)
    lower.set(xlim=(0.49, 1.01), xlabel="confidence", ylabel="pictures")
    lower.margins(y=0.15)
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    lower.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    for axis in (upper.yaxis, lower.xaxis):
        axis.set_major_formatter(PercentFormatter(1, 0, " %"))
    upper.grid(alpha=0.25)
    return figure


def _draw_coverage(findings: Findings) -> Figure:
    """Draws accuracy by coverage (fraction classified), with a marker at the threshold."""
    curve = compute_coverage(findings.predictions)
    predicted = findings.scores.predicted
    kept = curve.fraction * predicted >= min(_MIN_PICTURES, predicted)
    figure = Figure((WIDTH * 0.75, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(
        curve.fraction[kept], curve.low[kept], curve.high[kept], color=BLUE, alpha=0.2, linewidth=0,
        label="95 % interval",
    )  # fmt: skip
    axes.plot(curve.fraction[kept], curve.accuracy[kept], color=BLUE, label="accuracy")
    classified, accuracy = findings.scores.classified, findings.scores.classified_accuracy
    if classified.value is not None and accuracy.value is not None:
        label = (
            f"threshold {findings.setting.threshold:g}: "
            f"{format_proportion(classified)} classified,\n"
            f"accuracy {format_proportion(accuracy)}"
        )
        axes.plot(classified.value, accuracy.value, "D", color=ORANGE, markersize=8, label=label)
    axes.set(
        title="Accuracy by coverage",
        xlabel="fraction classified", ylabel="accuracy of the classified", xlim=(0, 1.01),
    )  # fmt: skip
    axes.grid(alpha=0.25)
    axes.legend(loc="best")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, None, " %"))
    return figure


def _draw_groups(findings: Findings) -> Figure:
    """Draws the accuracy of each group: gender, and each kind of group label."""
    scores = findings.scores
    kinds = {"gender": {str(gender): rate for gender, rate in scores.tpr.items() if rate.n}}
    for kind, cells in scores.groups.items():
        kinds[kind] = {label: cells[label] for label in sort_labels(kind, cells)}
    return plot_accuracy_bars(
        kinds,
        scores.accuracy,
        "all predicted",
        lambda cell: f"{format_proportion(cell)} of {cell.n:,}",
    )


def _draw_robustness(findings: Findings) -> Figure:
    """Draws the accuracy on the crops of each degradation."""
    cells = {name: scores.accuracy for name, scores in findings.degraded.items()}
    clean = findings.scores.accuracy
    return plot_accuracy_bars(
        {"degradation": cells},
        clean,
        "original",
        lambda cell: f"{format_proportion(cell)} ({format_difference(cell, clean)})",
    )


def _draw_confusion(findings: Findings) -> Figure:
    """Draws the confusion matrices without and with the threshold."""
    threshold = findings.setting.threshold
    tables = {
        "any confidence": compute_confusion(findings.predictions, 0),
        f"threshold {threshold:g}": compute_confusion(findings.predictions, threshold),
    }
    figure = Figure((WIDTH, 3.0), layout="constrained")
    both = figure.subplots(1, 2, width_ratios=(2, 3))
    for axes, (title, table) in zip(both, tables.items(), strict=True):
        # Without a threshold, no prediction is "unknown".
        _draw_confusion_matrix(axes, table, GENDERS if axes is both[0] else (*GENDERS, "unknown"))
        axes.set_title(title)
    both[0].set_ylabel("labelled")
    figure.supxlabel("predicted", fontsize=10)
    return figure


def _draw_confusion_matrix(axes: Axes, table: Confusion, words: Sequence[Gender]) -> None:
    """Draws a confusion matrix; each cell shows its count and its percentage of the row."""
    counts = np.array([[row[word] for word in words] for row in table.values()])
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1.2, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        fraction = fractions[row, column]
        axes.text(
            column, row, f"{count:,}\n{100 * fraction:.1f} %", ha="center", va="center",
            color="white" if fraction > 0.6 else "black",
        )  # fmt: skip
    axes.set_xticks(range(len(words)), words)
    axes.set_yticks(range(len(table)), list(table))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
