"""Knowledge distillation: stores teacher logits for every view and converts them to targets."""

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
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common.command import print_line
from image_gender_classifier.train.gender.targets import Targets, make_distillation_targets
from image_gender_classifier.train.gender.views import ViewBatches, Views

BATCH = 64
_INPUTS_HASH = "basis"  # file name
_HASHED_CROPS = 64  # number of crops whose pixels are hashed


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """A trained teacher network.

    Attributes:
        model: Maps pixels (float32 RGB, N x S x S x 3, 0 to 255) to a dict of logits by head.
        size: Side of its input in pixels (S).
    """

    model: keras.Model
    size: int


def write_teacher_logits(
    teacher: Teacher, views: Views, positions: Sequence[int], count: int, folder: Path
) -> None:
    """Writes a teacher's logits to a folder, one `.npz` file per view; skips complete files.

    Args:
        teacher: The teacher.
        views: Source of the pixels.
        positions: Indices of the crops.
        count: Number of views of each crop.
        folder: Existing folder.

    Raises:
        UsageError: The folder contains the logits of another teacher or of other views.
        OutputError: The folder cannot be written to.
    """
    _check_inputs(_hash_inputs(teacher, views, positions), folder)
    for number in range(count):
        path = _view_path(folder, number)
        if not _is_complete(path):
            pixels = ViewBatches(views, positions, number, teacher.size, BATCH)
            _write_logits(teacher.model.predict(pixels, verbose=0), path)
            print_line(f"teacher logits: view {number + 1}/{count}", sys.stdout)


def load_teacher_targets(folders: Sequence[Path], number: int, group_weight: float) -> Targets:
    """Averages the logits of all teachers for one view and converts them to targets.

    Args:
        folders: One folder per teacher, as filled by `write_teacher_logits`.
        number: Number of the view.
        group_weight: Loss weight of each auxiliary head.

    Returns:
        Targets in the order of the `positions` for which the logits were written.

    Raises:
        OSError: A teacher's file for the view is missing or cannot be read.
    """
    logits = []
    for folder in folders:
        with np.load(_view_path(folder, number)) as file:
            logits.append({head: file[head] for head in file.files})
    means = {head: np.mean([teacher[head] for teacher in logits], axis=0) for head in logits[0]}
    return make_distillation_targets(means, group_weight)


def _hash_inputs(teacher: Teacher, views: Views, positions: Sequence[int]) -> str:
    """Returns a hash of the teacher's weights, `positions` and the first 64 crops in view 0."""
    digest = hashlib.sha256(np.asarray(positions, np.int64).tobytes())
    for weights in teacher.model.get_weights():
        digest.update(weights.tobytes())
    for position in positions[:_HASHED_CROPS]:
        digest.update(views.render(position, 0, teacher.size).tobytes())
    return digest.hexdigest()


def _check_inputs(inputs_hash: str, folder: Path) -> None:
    """Writes the hash of the logits' inputs to the folder, or compares it with the hash there.

    Raises:
        UsageError: The recorded hash differs.
        OutputError: The hash cannot be written.
    """
    path = folder / _INPUTS_HASH
    if not path.exists():
        write_atomic(path, inputs_hash.encode())
    elif path.read_text("utf-8", "replace") != inputs_hash:
        raise UsageError(
            f"{folder}: the folder contains the logits of another teacher or of other views; "
            "delete the folder"
        )


def _view_path(folder: Path, number: int) -> Path:
    return folder / f"view_{number:03}.npz"


def _is_complete(path: Path) -> bool:
    """Returns whether the file of a view exists and is complete; a power cut can truncate it."""
    try:
        with np.load(path) as file:
            return all(len(file[head]) for head in file.files)  # reading verifies the checksums
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return False


def _write_logits(logits: dict[str, Any], path: Path) -> None:
    """Writes the logits by head to an `.npz` file, atomically."""
    content = io.BytesIO()
    np.savez(content, **logits)
    write_atomic(path, content.getvalue())
