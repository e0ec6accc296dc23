"""Training history: the metrics of each epoch as a CSV file and as lines of progress output."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import numpy as np

from image_gender_classifier.errors import ModelError
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.common.heads import GENDER

HISTORY = "history.csv"
_MONITORED = "val_loss"

Row = dict[str, float]
"""The metrics that Keras logged for one epoch, by name; `epoch` is its 0-based number."""


def read_history(folder: Path) -> list[Row]:
    """Reads the training history from `history.csv` in a folder.

    Returns:
        One row per epoch, in order; empty if the file does not exist.

    Raises:
        ModelError: The file cannot be read or is corrupt.
    """
    path = folder / HISTORY
    if not path.exists():
        return []
    try:
        text = io.StringIO(read_document(path).decode("utf-8"), newline="")
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(text)]
        return [{**row, "epoch": int(row["epoch"])} for row in rows]
    except (OSError, ValueError, TypeError, KeyError, OverflowError, csv.Error) as error:
        raise ModelError(
            f"{path}: the training history cannot be read ({error}); delete its folder to start "
            "over"
        ) from None


def write_history(rows: Sequence[Row], folder: Path) -> None:
    """Writes the training history to `history.csv` atomically.

    Args:
        rows: At least one row; all have the same names.
        folder: Existing folder.

    Raises:
        OutputError: The folder cannot be written to.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(folder / HISTORY, text.getvalue().encode())


def find_best_epoch(rows: Sequence[Row]) -> int:
    """Returns the index of the row with the lowest validation loss (the first if tied).

    A loss of NaN counts as infinite. `rows` must not be empty.
    """
    return int(np.argmin(np.nan_to_num([row[_MONITORED] for row in rows], nan=np.inf)))


def count_epochs_since_best(rows: Sequence[Row]) -> int:
    """Returns the number of rows after the one of `find_best_epoch`."""
    return len(rows) - 1 - find_best_epoch(rows)


def find_column(names: Container[str], kind: str, prefix: str = "") -> str | None:
    """Finds the column of the loss or accuracy; of the gender head if there are several heads.

    If a model has several heads, Keras prefixes columns with the name of the head. `val_loss`, the
    total, is also the loss of the gender head, because auxiliary heads have weight 0 in validation.

    Args:
        names: The existing columns.
        kind: "loss" or "accuracy".
        prefix: "val_" for validation, "" for training.

    Returns:
        The name of the column; None if it does not exist.
    """
    if prefix + kind == _MONITORED:
        return _MONITORED if _MONITORED in names else None
    for name in (f"{prefix}{GENDER}_{kind}", f"{prefix}{kind}"):
        if name in names:
            return name
    return None


def format_epoch(row: Mapping[str, float], epochs: int) -> str:
    """Formats the losses and accuracies of an epoch as one line of text.

    Args:
        row: The row of the epoch.
        epochs: Total number of epochs.
    """
    parts = []
    for kind in ("loss", "accuracy"):
        for prefix, part in (("", ""), ("val_", "held-out ")):
            if (name := find_column(row, kind, prefix)) is not None:
                parts.append(f"{part}{kind} {row[name]:.4f}")
    return f"epoch {row['epoch'] + 1:.0f}/{epochs}: {', '.join(parts)}"
