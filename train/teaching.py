"""What teachers say of every view: computed once, kept, and read by all of a student's epochs."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.command import say
from image_gender_classifier.train.targets import Targets, from_answers
from image_gender_classifier.train.views import ViewBatches, Views
from image_gender_classifier.writing import write_whole

BATCH = 64
_BASIS = "basis"
_SAMPLED = 64  # positions whose pixels are hashed


def answer(
    teachers: Sequence[tuple[keras.Model, int]],
    views: Views,
    positions: Sequence[int],
    count: int,
    folder: Path,
) -> None:
    """Writes the teachers' mean logits for each view into a folder, a file a view.

    Views that the folder holds already are left alone, if they are these teachers' answers to
    these very pixels.

    Args:
        teachers: Models from pixels to a dict of logits, each with its input's side in pixels.
        views: Where the pixels come from.
        positions: The crops to answer for.
        count: How many views of each.
        folder: Existing folder.

    Raises:
        UsageError: The folder holds answers of other teachers or for other views.
        OutputError: The folder cannot be written to.
    """
    _check_basis(_basis(teachers, views, positions), folder)
    for number in range(count):
        path = _path(folder, number)
        if path.exists():
            continue
        logits = [
            model.predict(ViewBatches(views, positions, number, size, BATCH), verbose=0)
            for model, size in teachers
        ]
        heads = logits[0].keys()
        means = {head: np.mean([one[head] for one in logits], axis=0) for head in heads}
        _write(means, path)
        say(f"teachers answered for view {number + 1}/{count}", sys.stdout)


def targets(folder: Path, number: int, group_weight: float) -> Targets:
    """Reads what the teachers wrote of a view."""
    with np.load(_path(folder, number)) as file:
        return from_answers({head: file[head] for head in file.files}, group_weight)


def _basis(
    teachers: Sequence[tuple[keras.Model, int]], views: Views, positions: Sequence[int]
) -> str:
    """Hashes what the answers depend on: all weights, all positions, a sample of the pixels."""
    digest = hashlib.sha256(np.asarray(positions, np.int64).tobytes())
    for model, size in teachers:
        for weights in model.get_weights():
            digest.update(weights.tobytes())
        for position in positions[:_SAMPLED]:
            digest.update(views.draw(position, 0, size).tobytes())
    return digest.hexdigest()


def _check_basis(basis: str, folder: Path) -> None:
    path = folder / _BASIS
    if not path.exists():
        write_whole(path, basis.encode())
    elif path.read_text("utf-8", "replace") != basis:
        raise UsageError(f"{folder}: holds answers of other teachers or for other views; delete it")


def _path(folder: Path, number: int) -> Path:
    return folder / f"view_{number:03}.npz"


def _write(logits: dict[str, Any], path: Path) -> None:
    content = io.BytesIO()
    np.savez(content, **logits)
    write_whole(path, content.getvalue())
