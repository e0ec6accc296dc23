"""The training history: a CSV file beside the checkpoints, and progress lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import numpy as np

from image_gender_classifier.errors import ModelError
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.gender.targets import GENDER

HISTORY = "history.csv"
_WATCHED = "val_loss"

Row = dict[str, float]
"""Keras's logs of one epoch by name, and its number from 0 as `epoch`."""


def read(folder: Path) -> list[Row]:
    """Reads a folder's history; gives an empty list if there is none.

    Raises:
        ModelError: The file is damaged.
    """
    path = folder / HISTORY
    if not path.exists():
        return []
    try:
        text = io.StringIO(read_document(path).decode("utf-8"), newline="")
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(text)]
        return [{**row, "epoch": int(row["epoch"])} for row in rows]
    except (OSError, ValueError, TypeError, KeyError, OverflowError, csv.Error) as error:
        raise ModelError(f"{path}: cannot be read ({error}); delete its folder") from None


def write(rows: Sequence[Row], folder: Path) -> None:
    """Writes a history of at least one epoch atomically.

    Raises:
        OutputError: The folder cannot be written to.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(folder / HISTORY, text.getvalue().encode())


def best(rows: Sequence[Row]) -> int:
    """Gives the index of the lowest validation loss, ignoring NaN."""
    return int(np.argmin(np.nan_to_num([row[_WATCHED] for row in rows], nan=np.inf)))


def column(names: Container[str], kind: str, prefix: str = "") -> str | None:
    """Gives the name of the column with the gender head's loss or accuracy, or the total.

    Keras prefixes a loss with its head only if there are several. The auxiliary heads have weight 0
    in validation, so the total validation loss is that of the gender head.

    Args:
        names: The existing columns.
        kind: "loss" or "accuracy".
        prefix: "val_" for the held-out part.
    """
    if prefix + kind == _WATCHED:
        return _WATCHED if _WATCHED in names else None
    for name in (f"{prefix}{GENDER}_{kind}", f"{prefix}{kind}"):
        if name in names:
            return name
    return None


def line(row: Mapping[str, float], epochs: int) -> str:
    """Formats an epoch's losses and accuracies."""
    parts = []
    for kind in ("loss", "accuracy"):
        for prefix, part in (("", ""), ("val_", "held-out ")):
            if (name := column(row, kind, prefix)) is not None:
                parts.append(f"{part}{kind} {row[name]:.4f}")
    return f"epoch {row['epoch'] + 1:.0f}/{epochs}: {', '.join(parts)}"
