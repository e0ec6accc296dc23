"""Publishes exported files: writes them and their manifest entries into a model folder."""

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
    FaceRefinerEntry,
    Float32Variant,
    ModelEntry,
    NetworkEntry,
)
from image_gender_classifier.outputs.atomic import write_atomic
from image_gender_classifier.train.common.command import print_line, print_warning
from image_gender_classifier.train.common.model_folder import (
    dump_updated_manifest,
    load_manifest_or_empty,
)

Entry = TypeVar("Entry", ModelEntry, FaceDetectorEntry, FaceRefinerEntry)
_WITHOUT_FLOAT32 = (
    "tflite-runtime runs the int8 file instead, whose outputs can differ by a few quantisation "
    "steps"
)


@dataclass(frozen=True, slots=True)
class Export:
    """A network exported to one format.

    Attributes:
        format: The format.
        entry: The manifest entry.
        data: Content of the file; empty if the conversion failed or the format is not requested.
        float32: Content of the float32 variant that the entry names; None if there is none.
    """

    format: Format
    entry: NetworkEntry
    data: bytes
    float32: bytes | None = None

    @property
    def files(self) -> dict[str, bytes]:
        """Content of the file, and of its float32 variant if there is one, by file name."""
        files = {self.entry.file: self.data}
        if self.entry.float32_variant is not None and self.float32 is not None:
            files[self.entry.float32_variant.file] = self.float32
        return files

    def without_float32(self) -> Export:
        """Returns a copy of the export without the float32 variant."""
        return Export(self.format, self.entry._replace(float32_variant=None), self.data)


def make_entry(file: str, data: bytes, model: Entry) -> Entry:
    """Returns the manifest entry of an exported file.

    Args:
        file: Name of the file.
        data: Content of the file.
        model: Entry to copy the other fields from.
    """
    digest = hashlib.sha256(data).hexdigest()
    return model._replace(file=file, sha256=digest, bytes=len(data))


def convert_float32_variant(data: bytes) -> bytes | None:
    """Converts an int8 TFLite file to its float32 variant.

    Args:
        data: Content of the int8 TFLite file.

    Returns:
        Content of the variant; None if the conversion fails (the reason is printed).
    """
    try:
        return float32.convert_to_float32(data)
    except ModelError as error:
        print_line(f"no float32 variant: {error}; {_WITHOUT_FLOAT32}", sys.stdout)
        return None


def add_float32_variant(entry: Entry, data: bytes | None) -> Entry:
    """Returns the manifest entry of a TFLite file with its float32 variant added.

    Args:
        entry: The entry of the int8 file.
        data: Content of the variant; None to return the entry unchanged.
    """
    if data is None:
        return entry
    file = f"{entry.file.removesuffix('.tflite')}_in_float.tflite"
    return entry._replace(
        float32_variant=Float32Variant(file, hashlib.sha256(data).hexdigest(), len(data))
    )


def publish_verified(
    folder: Path,
    original: NetworkEntry,
    data: bytes,
    exports: Iterable[Export],
    faults: Mapping[Format, Sequence[str]],
    *,
    float32_fault: str | None,
    formats: Collection[Format],
) -> list[str]:
    """Publishes the exports that passed verification; prints warnings about the others.

    Removes files of failed formats that an earlier model left in the folder. A file of a format
    that is not in `formats` is removed too, unless it was exported from the same Keras model. If no
    export passed, changes nothing.

    Args:
        folder: Existing model folder.
        original: Manifest entry of the Keras model.
        data: Content of the Keras file.
        exports: The network in all formats.
        faults: Reasons not to publish each format; an empty list if it passed.
        float32_fault: Reason not to publish the float32 variant; None if it passed.
        formats: The formats to publish.

    Returns:
        The reasons why nothing was published; an empty list if at least one format was.

    Raises:
        OutputError: A file cannot be written.
        ModelError: The folder's manifest is corrupt.
    """
    before = load_manifest_or_empty(folder)
    same_model = any(
        entry.sha256 == original.sha256 for entry in _find_entries(before, [original.file])
    )
    passed: list[Export] = []
    skipped: list[str] = []
    unwanted: list[str] = []
    reasons: list[str] = []
    for export in exports:
        if export.format not in formats:
            if not same_model:  # keeps a file of the same model
                unwanted.append(export.entry.file)
        elif faults[export.format]:
            skipped.append(export.entry.file)
            reasons += faults[export.format]
        elif export.float32 is not None and float32_fault is not None:
            print_warning(f"no float32 variant: {float32_fault}; {_WITHOUT_FLOAT32}")
            passed.append(export.without_float32())
        else:
            passed.append(export)
    if not passed:
        return reasons
    if reasons:
        print_warning(f"skipped {' and '.join(skipped)}: {'; '.join(reasons)}")
    files = {original.file: data}
    for export in passed:
        files.update(export.files)
    publish(folder, files, [original, *(export.entry for export in passed)], [*skipped, *unwanted])
    for name, content in files.items():
        print_line(f"{folder / name}: {len(content):,} bytes", sys.stdout)
    return []


def publish(
    folder: Path,
    files: Mapping[str, bytes],
    entries: Iterable[NetworkEntry],
    without: Collection[str] = (),
) -> None:
    """Writes model files, adds them to the folder's manifest and removes outdated files.

    Keeps the entries of other files, such as the cascades. Writes the manifest after the files:
    until then, the loader rejects the new files because of their hashes. Then removes the files of
    replaced and removed entries that the new manifest does not list.

    Args:
        folder: Existing model folder.
        files: Content of each file by file name.
        entries: Manifest entries of these files.
        without: Names of files to remove with their entries. A file is kept if its hash differs
            from that in its entry.

    Raises:
        OutputError: A file cannot be written.
        ModelError: The folder's manifest is corrupt.
    """
    before = load_manifest_or_empty(folder)
    entries = list(entries)
    content = dump_updated_manifest(folder, entries, without)
    for name, data in files.items():
        write_atomic(folder / name, data)
    write_atomic(folder / manifest.NAME, content)
    after = load_manifest_or_empty(folder)
    kept = {cascade.file for cascade in after.cascades}
    listed = list(after.networks.values())
    for entry in listed:
        kept.update(_hashes(entry))
    for entry in _find_entries(before, [*without, *(entry.file for entry in entries)]):
        for name, digest in _hashes(entry).items():
            if name not in kept:
                _remove(folder / name, digest)


def _remove(path: Path, digest: str) -> None:
    """Removes a file left by an earlier model if its SHA-256 is `digest`; prints the outcome."""
    try:
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return
        path.unlink()
    except OSError as error:
        print_warning(
            f"{path}: cannot remove this file left by an earlier model ({error.strerror}); delete "
            "it manually"
        )
        return
    print_line(f"{path}: removed (left by an earlier model)", sys.stdout)


def _find_entries(models: Manifest, names: Iterable[str]) -> list[NetworkEntry]:
    """Returns the entries of the named files; omits files that the manifest does not list."""
    entries = models.networks
    return [entries[name] for name in names if name in entries]


def _hashes(entry: NetworkEntry) -> dict[str, str]:
    """Returns the SHA-256 of each file of an entry by file name."""
    variant = entry.float32_variant
    return {entry.file: entry.sha256} | ({} if variant is None else {variant.file: variant.sha256})
