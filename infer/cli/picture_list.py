"""Reads the pictures of a run from a list instead of listing the folder (`--list`)."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from image_gender_classifier.errors import UsageError
from image_gender_classifier.listing import Listing, PictureFolder
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.xml_folder import XmlFolder

STANDARD_INPUT = "-"
_BOM = b"\xef\xbb\xbf"
_MAX_BYTES = 2**28


def list_named_pictures(source: str, folder: Path, null: bool) -> Listing:
    """Reads a list of pictures.

    Args:
        source: Path of the list; `-` for standard input.
        folder: The input folder, to which the paths in the list are relative.
        null: Whether a NUL follows each path, instead of a line feed.

    Returns:
        The pictures in the order of a run over the folder, each once, whether they exist or not.

    Raises:
        UsageError: The list cannot be read, is empty or names a path outside the folder, or none of
            the pictures exists.
    """
    files = [
        _make_relative(path, folder, f"--list {source}, line {number}")
        for number, path in split_list(_read(source), null)
    ]
    if not files:
        raise UsageError(f"--list {source}: the list names no picture")
    if not any(os.path.lexists(folder / file) for file in files):
        raise UsageError(
            f"--list {source}: none of the pictures exists, such as {escape_text(files[0])!r}; the "
            f"paths must be relative to {folder}{'' if null else ', one per line'}"
        )
    return make_listing(files)


def split_list(data: bytes, null: bool) -> Iterator[tuple[int, str]]:
    """Yields the paths of a list with their line numbers, which begin with 1.

    Empty lines, a byte order mark and carriage returns at the ends of lines are skipped, unless the
    paths are separated by NUL.
    """
    if not null:
        data = data.removeprefix(_BOM)
    for number, line in enumerate(data.split(b"\0" if null else b"\n"), 1):
        path = line if null else line.removesuffix(b"\r")
        if b"\0" in path:
            raise UsageError(f"--list: line {number} has a NUL; add -0 if NUL separates the paths")
        if path:
            yield number, os.fsdecode(path)


def make_listing(files: Iterable[str]) -> Listing:
    """Returns the listing of paths in normal form, in the order of `scan.list_pictures`."""
    folders: dict[str, set[str]] = defaultdict(set)
    for file in files:
        parent, _, name = file.rpartition("/")
        folders[parent].add(name)
    # As components, because "a-b" comes before "a/b" as text.
    parents = sorted(folders, key=lambda path: os.fsencode(path).split(b"/") if path else [])
    return Listing(
        tuple(
            PictureFolder(path, tuple(sorted(folders[path], key=os.fsencode))) for path in parents
        ),
        ignored=0,
    )


def describe_conflict(xml: XmlFolder, picture: PictureFile, folder: Path) -> str | None:
    """Returns a message if the XML file of a picture would replace that of another picture.

    The names of output files are unique among the pictures of a list, but an earlier list may have
    named `a.jpg` and this one `a.png`.

    Args:
        xml: The XML folder.
        picture: The picture.
        folder: The input folder.
    """
    other = xml.read_other(picture)
    if other is None or not os.path.lexists(folder / other):
        return None
    return (
        f"{picture.file!r}: not written, because {picture.xml} is that of {other!r}; put both into "
        "one list, or give another output folder"
    )


def _read(source: str) -> bytes:
    is_input = source == STANDARD_INPUT
    if is_input and sys.stdin is None:
        raise UsageError("--list -: standard input is closed; give a file")
    try:
        if is_input:
            from image_gender_classifier.cli.streams import open_standard_input  # rarely needed

            with open_standard_input() as stream:
                data = stream.read(_MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else error
        remedy = "redirect a list to standard input" if is_input else "check the path"
        raise UsageError(f"--list {source}: cannot be read ({reason}); {remedy}") from None
    if len(data) > _MAX_BYTES:
        raise UsageError(
            f"--list {source}: larger than {_MAX_BYTES:,} bytes; split it into several lists"
        )
    return data


def _make_relative(path: str, folder: Path, where: str) -> str:
    """Returns a path relative to the input folder, in normal form.

    Raises:
        UsageError: It is not in the folder.
    """
    relative = path
    if path.startswith("/"):
        for root in (os.path.abspath(folder), os.path.realpath(folder)):  # noqa: PTH100
            if path.startswith(root.rstrip("/") + "/"):
                relative = path[len(root) :].lstrip("/")
                break
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if relative.startswith("/") or ".." in parts or not parts:
        raise UsageError(f"{where}: {escape_text(path)!r} is not in {folder}; omit it")
    return "/".join(parts)
