"""The run record: stores what determines a run's outcome, so that only an equal run resumes."""

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
    """Creates a run's folder, or checks that the run in it can be resumed.

    Args:
        folder: The output folder.
        run: What determines the run's outcome.
        resume: Whether to resume an equal run.

    Raises:
        UsageError: The folder holds another run, or a run without `resume`, or cannot be created.
        ModelError: The folder's manifest is damaged.
    """
    path = folder / RECORD
    if path.exists():
        if not resume:
            raise UsageError(f"{folder}: holds a run already; use --resume or another folder")
        if others := _differences(_record(path), as_json(run)):
            raise UsageError(
                f"{folder}: holds a run with other data or options ({', '.join(others)}); use "
                "another --out (with make: TRAIN_OUT=folder) or delete the folder"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: cannot be created ({error.strerror})") from None
    known(folder)  # fails early on a damaged manifest


def write(run: DataclassInstance, folder: Path) -> None:
    """Writes the record; call it after all checks, just before training.

    Raises:
        OutputError: The folder cannot be written to.
    """
    write_whole(folder / RECORD, json.dumps(as_json(run), indent=2).encode())


def as_json(run: DataclassInstance) -> dict[str, Any]:
    """Converts a run to JSON types."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(run)))
    return content


def _differences(record: Any, run: Mapping[str, Any]) -> list[str]:
    """Lists the fields in which a run differs from a record."""
    if not isinstance(record, dict):
        return ["unreadable record"]
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
        return None  # differs from every run
