"""Plots the learning curves of a training run as a PNG file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common.history import find_column


def plot_learning_curves(history: Path, target: Path) -> None:
    """Plots the loss and, if it was recorded, the accuracy of each epoch.

    Args:
        history: A `history.csv` of `history.write_history`, with at least one epoch.
        target: The PNG file to write or replace, atomically.

    Raises:
        OSError: The history cannot be read.
        OutputError: The PNG file cannot be written.
    """
    # Imported here because Matplotlib takes a second; Agg needs no display.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [float(row["epoch"]) + 1 for row in rows]
    kinds = [kind for kind in ("loss", "accuracy") if find_column(rows[0], kind)]
    figure, panels = pyplot.subplots(
        1, len(kinds), squeeze=False, figsize=(4.5 * len(kinds), 3.5), layout="constrained"
    )
    for panel, kind in zip(panels[0], kinds, strict=True):
        for prefix, label in (("", "training (augmented)"), ("val_", "held out")):
            name = find_column(rows[0], kind, prefix)
            panel.plot(epochs, [float(row[name]) for row in rows], marker=".", label=label)
        panel.set(xlabel="epoch", title=kind)
        panel.grid(alpha=0.3)
        panel.legend()
    content = io.BytesIO()
    figure.savefig(content, dpi=120)
    pyplot.close(figure)
    write_atomic(target, content.getvalue())
