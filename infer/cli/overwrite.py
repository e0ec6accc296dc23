"""Refuses a run whose output would overwrite a picture or another output."""

from __future__ import annotations

from pathlib import Path

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.registry import Target
from image_gender_classifier.scan import Listing


def refuse_overwriting(folder: Path, listing: Listing, targets: tuple[Target, ...]) -> None:
    """Compares the paths of all outputs with those of the pictures.

    A picture may be called `a.xml`: pictures are recognised by their first bytes too. Only
    pictures whose names end like an output file are looked at, so that many pictures cost little.

    Args:
        folder: The input folder.
        listing: The pictures in it.
        targets: The outputs.

    Raises:
        UsageError: A picture or an output would be overwritten.
    """
    tables = {target.path.resolve() for target in targets if target.entry.kind == "file"}
    folders = [(t.path, t.entry.suffix) for t in targets if t.entry.kind == "folder"]
    table_names = {path.name for path in tables}
    endings = (*(suffix for _, suffix in folders), *table_names)
    at_risk = {file for file in listing.files if file.endswith(endings)}
    if not at_risk and not tables:
        return
    names = table_names | {_name(file) for file in at_risk}
    outputs = ((place, p.named(suffix)) for p in listing.pictures for place, suffix in folders)
    written = {
        (place / file).resolve()
        for place, file in outputs
        # A new file overwrites no picture, but its name may be that of a table.
        if _name(file) in names and (_name(file) in table_names or (place / file).exists())
    }
    taken = written | tables
    lost = written & tables
    if taken:
        lost |= taken & {(folder / file).resolve() for file in at_risk}
    if lost:
        raise UsageError(f"{min(lost)}: would be overwritten; choose another output")


def _name(path: str) -> str:
    return path.rpartition("/")[2]
