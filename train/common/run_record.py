"""What decides a run, kept in its folder: only an equal run goes on there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.common.model_folder import known

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RECORD = "run.json"


def prepare_folder(folder: Path, run: DataclassInstance, resume: bool) -> None:
    """Makes a run's folder, unless it holds one that would be lost or mixed up.

    Args:
        folder: The output folder.
        run: What decides the run's outcome.
        resume: Whether an equal run may go on in it.

    Raises:
        UsageError: The folder holds a run and may not be resumed, or cannot be made.
        ModelError: The folder's manifest is damaged.
    """
    path = folder / RECORD
    if path.exists():
        if not resume:
            raise UsageError(f"{folder}: holds a run already; give --resume or another folder")
        if others := _differences(_record(path), as_json(run)):
            raise UsageError(
                f"{folder}: holds a run with other data or options ({', '.join(others)}); give "
                "another --out (with make: TRAIN_OUT=folder) or delete it"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be made ({error.strerror})") from None
    known(folder)  # a damaged manifest should be told now, not when the model is to be entered


def write(run: DataclassInstance, folder: Path) -> None:
    """Leaves the record; to be called when nothing can fail any more before the training.

    Raises:
        OutputError: The folder cannot be written to.
    """
    write_whole(folder / RECORD, json.dumps(as_json(run), indent=2).encode())


def as_json(run: DataclassInstance) -> dict[str, Any]:
    """A run as it is after a trip through a file."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(run)))
    return content


def _differences(record: Any, run: Mapping[str, Any]) -> list[str]:
    """Names what of a run is not as in a folder's record."""
    if not isinstance(record, dict):
        return ["no legible record"]
    found = []
    for name, value in run.items():
        if isinstance(value, Mapping) and isinstance(record.get(name), dict):
            found += _differences(record[name], value)
        elif name not in record or record[name] != value:
            found.append(name)
    return found


def _record(path: Path) -> Any:
    try:
        return json.loads(read_document(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # a damaged record equals no run
