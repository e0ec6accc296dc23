"""Run record: `run.json` stores the inputs of a training run.

`--resume` continues a run only if its inputs are the same as the recorded ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_gender_classifier.errors import ModelError, UsageError
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.system.files import read_document
from image_gender_classifier.train.common.model_folder import load_manifest_or_empty

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RECORD = "run.json"


def prepare_run_folder(folder: Path, run: DataclassInstance, resume: bool, variable: str) -> None:
    """Creates the output folder of a training run, or checks that the run in it can be resumed.

    Args:
        folder: The output folder.
        run: The inputs of the run: data, recipe and options.
        resume: Whether `--resume` is given; it has no effect if the folder contains no run.
        variable: Name of the Makefile's variable for the folder, for messages.

    Raises:
        UsageError: The folder contains a run, and `resume` is False or the inputs differ; or the
            folder cannot be created.
        ModelError: The folder's manifest cannot be read or is corrupt.
    """
    path = folder / RECORD
    if path.exists():
        if not resume:
            raise UsageError(
                f"--out {folder}: the folder already contains a run; use --resume or another folder"
            )
        if others := _list_differences(_read_record(path), run_to_json(run)):
            raise UsageError(
                f"--out {folder}: the folder contains a run with other data or options "
                f"({', '.join(others)}); use another folder (with make: {variable}=folder) or "
                "delete this one"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out {folder}: the folder cannot be created ({error.strerror}); use another folder"
        ) from None
    load_manifest_or_empty(folder)  # fails early on a corrupt manifest


def write_run_record(run: DataclassInstance, folder: Path) -> None:
    """Writes `run.json` atomically; call it after all checks, just before training.

    Raises:
        OutputError: The folder cannot be written to.
    """
    write_atomic(folder / RECORD, json.dumps(run_to_json(run), indent=2).encode())


def check_run_finished(model: Path) -> None:
    """Checks that a training run did not stop before it had written its model and its manifest.

    Has no effect if the folder of the model contains no run, or the model cannot be read.

    Args:
        model: The trained model file.

    Raises:
        ModelError: There is no such file, or the manifest in its folder does not list it, or lists
            another version of it; or the manifest cannot be read or is corrupt.
    """
    if not (model.parent / RECORD).exists():
        return
    entry = load_manifest_or_empty(model.parent).networks.get(model.name)
    missing = "manifest"
    try:
        data = model.read_bytes()
    except FileNotFoundError:
        entry, missing = None, "model"
    except OSError:
        return  # the error is reported when the model is opened
    if entry is None or entry.sha256 != hashlib.sha256(data).hexdigest():
        raise ModelError(
            f"{model}: the training stopped before it wrote the {missing}; run it again with "
            "--resume (with make: the same command), and it goes on where it was"
        )


def run_to_json(run: DataclassInstance) -> dict[str, Any]:
    """Converts the inputs of a run to a dict of JSON types."""
    content: dict[str, Any] = json.loads(json.dumps(asdict(run)))
    return content


def _list_differences(record: Any, run: Mapping[str, Any]) -> list[str]:
    """Returns the names of a run's fields that differ from a record.

    Args:
        record: Parsed content of `run.json`. If it is not a dict, the only name returned is
            "unreadable record".
        run: The run as JSON types; differences in a nested dict are reported by its inner names.
    """
    if not isinstance(record, dict):
        return ["unreadable record"]
    found = []
    for name, value in run.items():
        if isinstance(value, Mapping) and isinstance(record.get(name), dict):
            found += _list_differences(record[name], value)
        elif record.get(name) != value:  # earlier versions lack fields whose value is None
            found.append(name)
    return found


def _read_record(path: Path) -> Any:
    """Reads a run record; returns None if it cannot be read."""
    try:
        return json.loads(read_document(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # differs from every run
