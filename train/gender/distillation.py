"""Distillation: stores each teacher's logits for every view, and turns them into targets."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.gender.targets import Targets, from_answers
from image_gender_classifier.train.gender.views import ViewBatches, Views

BATCH = 64
_BASIS = "basis"
_SAMPLED = 64  # number of crops whose pixels are hashed


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """A trained network.

    Attributes:
        model: Maps pixels to a dict of logits.
        size: Side of its input in pixels.
    """

    model: keras.Model
    size: int


def answer(
    teacher: Teacher, views: Views, positions: Sequence[int], count: int, folder: Path
) -> None:
    """Writes a teacher's logits into a folder, one file per view.

    Keeps views that the folder already holds, if they are from the same teacher and pixels.

    Args:
        teacher: The teacher.
        views: Source of the pixels.
        positions: Positions of the crops.
        count: Number of views of each crop.
        folder: Existing folder.

    Raises:
        UsageError: The folder holds answers of another teacher or for other views.
        OutputError: The folder cannot be written to.
    """
    _check_basis(_basis(teacher, views, positions), folder)
    for number in range(count):
        path = _path(folder, number)
        if not _is_whole(path):
            pixels = ViewBatches(views, positions, number, teacher.size, BATCH)
            _write(teacher.model.predict(pixels, verbose=0), path)
            say(f"teacher answers: view {number + 1}/{count}", sys.stdout)


def targets(folders: Sequence[Path], number: int, group_weight: float) -> Targets:
    """Averages the logits of several teachers, each in its folder, for one view."""
    written = []
    for folder in folders:
        with np.load(_path(folder, number)) as file:
            written.append({head: file[head] for head in file.files})
    means = {head: np.mean([one[head] for one in written], axis=0) for head in written[0]}
    return from_answers(means, group_weight)


def _basis(teacher: Teacher, views: Views, positions: Sequence[int]) -> str:
    """Hashes the inputs of the answers: weights, positions and a sample of the pixels."""
    digest = hashlib.sha256(np.asarray(positions, np.int64).tobytes())
    for weights in teacher.model.get_weights():
        digest.update(weights.tobytes())
    for position in positions[:_SAMPLED]:
        digest.update(views.draw(position, 0, teacher.size).tobytes())
    return digest.hexdigest()


def _check_basis(basis: str, folder: Path) -> None:
    path = folder / _BASIS
    if not path.exists():
        write_whole(path, basis.encode())
    elif path.read_text("utf-8", "replace") != basis:
        raise UsageError(
            f"{folder}: holds answers of another teacher or other views; delete the folder"
        )


def _path(folder: Path, number: int) -> Path:
    return folder / f"view_{number:03}.npz"


def _is_whole(path: Path) -> bool:
    """Reports whether a view's file is complete; a power cut can leave it empty."""
    try:
        with np.load(path) as file:
            return all(len(file[head]) for head in file.files)  # reading verifies the checksums
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return False


def _write(logits: dict[str, Any], path: Path) -> None:
    content = io.BytesIO()
    np.savez(content, **logits)
    write_whole(path, content.getvalue())
