"""The exported files and their manifest, into a folder of models."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from image_gender_classifier import manifest
from image_gender_classifier.convert import float32
from image_gender_classifier.convert.formats import Format
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest import Manifest
from image_gender_classifier.manifest.schema import (
    FaceDetectorEntry,
    Float32Variant,
    ModelEntry,
    NetworkEntry,
)
from image_gender_classifier.outputs.atomic import write_whole
from image_gender_classifier.train.common.command import say
from image_gender_classifier.train.common.model_folder import known, manifest_with

_Entry = TypeVar("_Entry", ModelEntry, FaceDetectorEntry)
_WITHOUT_FLOAT32 = (
    "tflite-runtime will run the int8 file, whose answers may then be a few quantisation steps "
    "apart"
)


@dataclass(frozen=True, slots=True)
class Export:
    """A network in one format.

    Attributes:
        format: The format.
        entry: What the manifest says of it.
        data: The file's bytes.
        float32: The bytes of its form in float32 arithmetic, which the entry names, or None.
    """

    format: Format
    entry: NetworkEntry
    data: bytes
    float32: bytes | None = None

    @property
    def files(self) -> dict[str, bytes]:
        """Bytes by file name."""
        files = {self.entry.file: self.data}
        if self.entry.float32_variant is not None and self.float32 is not None:
            files[self.entry.float32_variant.file] = self.float32
        return files

    def without_float32(self) -> Export:
        """The same without its form in float32 arithmetic."""
        return Export(self.format, self.entry._replace(float32_variant=None), self.data)


def entry_of(file: str, data: bytes, model: _Entry) -> _Entry:
    """An export's entry: what holds for its model, with the file's own name, hash and size."""
    digest = hashlib.sha256(data).hexdigest()
    return model._replace(file=file, sha256=digest, bytes=len(data))


def form_in_float(data: bytes) -> bytes | None:
    """Writes an int8 TFLite file in float32 arithmetic; says why where that cannot be done."""
    try:
        return float32.write(data)
    except ModelError as error:
        say(f"no form in float32: {error}; {_WITHOUT_FLOAT32}", sys.stdout)
        return None


def with_form(entry: _Entry, data: bytes | None) -> _Entry:
    """Gives a TFLite file's entry with its form in float32 arithmetic, if there is one."""
    if data is None:
        return entry
    file = f"{entry.file.removesuffix('.tflite')}_in_float.tflite"
    return entry._replace(
        float32_variant=Float32Variant(file, hashlib.sha256(data).hexdigest(), len(data))
    )


def publish_right(
    folder: Path,
    original: NetworkEntry,
    data: bytes,
    exports: Iterable[Export],
    faults: Mapping[Format, Sequence[str]],
    *,
    float32_fault: str | None,
    wanted: Collection[Format],
) -> list[str]:
    """Publishes the exports that are right, and warns of those that are left out.

    Args:
        folder: Existing folder of models.
        original: The entry of the Keras model.
        data: Its file's bytes.
        exports: The network in each format.
        faults: What is wrong with each format; empty where nothing is.
        float32_fault: What is wrong with the form in float32 arithmetic, if anything is.
        wanted: The formats to publish.

    Returns:
        Why nothing is published; empty where something is.

    Raises:
        OutputError: A file cannot be written.
        ModelError: The folder's manifest is damaged.
    """
    right: list[Export] = []
    left_out: list[str] = []
    reasons: list[str] = []
    for export in exports:
        if export.format not in wanted:
            left_out.append(export.entry.file)
        elif faults[export.format]:
            left_out.append(export.entry.file)
            reasons += faults[export.format]
        elif export.float32 is not None and float32_fault is not None:
            say(f"warning: no form in float32: {float32_fault}; {_WITHOUT_FLOAT32}", sys.stderr)
            right.append(export.without_float32())
        else:
            right.append(export)
    if not right:
        return reasons
    if reasons:
        say(f"warning: {' and '.join(left_out)} is left out: {'; '.join(reasons)}", sys.stderr)
    files = {original.file: data}
    for export in right:
        files.update(export.files)
    publish(folder, files, [original, *(export.entry for export in right)], left_out)
    for name, content in files.items():
        say(f"{folder / name}: {len(content):,} bytes", sys.stdout)
    return []


def publish(
    folder: Path,
    files: Mapping[str, bytes],
    entries: Iterable[NetworkEntry],
    without: Collection[str] = (),
) -> None:
    """Writes model files and enters them into the folder's manifest.

    What the manifest says of other files, such as the cascades, stays. The manifest is written
    last: until then the loader refuses the new files by their hashes.

    Args:
        folder: Existing folder of models.
        files: Bytes by file name.
        entries: What the manifest says of them.
        without: Names of files that no longer belong to the others; those that the manifest knows
            are removed.

    Raises:
        OutputError: A file cannot be written.
        ModelError: The folder's manifest is damaged.
    """
    before = known(folder)
    entries = list(entries)
    content = manifest_with(folder, entries, without)
    for name, data in files.items():
        write_whole(folder / name, data)
    write_whole(folder / manifest.NAME, content)
    kept = {name for entry in entries for name in _names(entry)}
    replaced = [*without, *(entry.file for entry in entries)]
    for entry in _known(before, replaced):
        for name in sorted(set(_names(entry)) - kept):
            (folder / name).unlink(missing_ok=True)
            say(f"{folder / name}: removed, it is of an earlier model", sys.stdout)


def _known(models: Manifest, names: Iterable[str]) -> list[NetworkEntry]:
    """The entries that a manifest has of some files."""
    entries: dict[str, NetworkEntry] = {**models.models, **models.face_detectors}
    return [entries[name] for name in names if name in entries]


def _names(entry: NetworkEntry) -> list[str]:
    """The names of an entry's files."""
    return (
        [entry.file] if entry.float32_variant is None else [entry.file, entry.float32_variant.file]
    )
