"""Learning curves as a picture."""

from __future__ import annotations

import csv
from pathlib import Path


def learning_curves(history: Path, target: Path) -> None:
    """Draws loss and accuracy of gender over the epochs.

    Args:
        history: The CSV that training writes.
        target: The PNG file to write.
    """
    # Imported late and without a screen: Matplotlib takes a second to start.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [float(row["epoch"]) + 1 for row in rows]
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for panel, kind in zip(panels, ("loss", "accuracy"), strict=True):
        for prefix, label in (("", "training (augmented)"), ("val_", "held out")):
            column = _column(rows[0], prefix, kind)
            panel.plot(epochs, [float(row[column]) for row in rows], marker=".", label=label)
        panel.set(xlabel="epoch", title=f"gender: {kind}")
        panel.grid(alpha=0.3)
        panel.legend()
    figure.savefig(target, dpi=120)
    pyplot.close(figure)


def _column(row: dict[str, str], prefix: str, kind: str) -> str:
    """Keras names a metric after its head only where there are several heads."""
    headed = f"{prefix}gender_{kind}"
    return headed if headed in row else f"{prefix}{kind}"
