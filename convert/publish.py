"""The exported files and their manifest, into a folder of models."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from image_gender_classifier import manifest
from image_gender_classifier.convert import in_float
from image_gender_classifier.entries import FinderEntry, Form, ModelEntry, NetworkEntry
from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.command import say
from image_gender_classifier.train.model_folder import manifest_with
from image_gender_classifier.writing import write_whole

_Entry = TypeVar("_Entry", ModelEntry, FinderEntry)


def entry_of(file: str, data: bytes, model: _Entry) -> _Entry:
    """An export's entry: what holds for its model, with the file's own name, hash and size."""
    digest = hashlib.sha256(data).hexdigest()
    return model._replace(file=file, sha256=digest, bytes=len(data))


def form_in_float(data: bytes) -> bytes | None:
    """Writes an int8 TFLite file in float32 arithmetic; says why where that cannot be done."""
    try:
        return in_float.write(data)
    except ModelError as error:
        say(
            f"no form in float32: {error}; tflite-runtime will run the int8 file, whose answers "
            "may then be a few quantisation steps apart",
            sys.stdout,
        )
        return None


def with_form(entry: _Entry, data: bytes | None) -> _Entry:
    """Gives a TFLite file's entry with its form in float32 arithmetic, if there is one."""
    if data is None:
        return entry
    file = f"{entry.file.removesuffix('.tflite')}_in_float.tflite"
    return entry._replace(in_float=Form(file, hashlib.sha256(data).hexdigest(), len(data)))


def publish(folder: Path, files: Mapping[str, bytes], entries: Iterable[NetworkEntry]) -> None:
    """Writes model files and enters them into the folder's manifest.

    What the manifest says of other files, such as the cascades, stays. The manifest is written
    last: until then the loader refuses the new files by their hashes.

    Args:
        folder: Existing folder of models.
        files: Bytes by file name.
        entries: What the manifest says of them.

    Raises:
        OutputError: A file cannot be written.
        ModelError: The folder's manifest is damaged.
    """
    content = manifest_with(folder, entries)
    for name, data in files.items():
        write_whole(folder / name, data)
    write_whole(folder / manifest.NAME, content)
