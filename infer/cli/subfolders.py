"""Counts the pictures in subfolders, for a message that suggests `--recursive`.

Opens no file, follows no symbolic link to a folder, and stops early in a large tree.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.cli.options import Options
from image_gender_classifier.imaging.formats import EXTENSIONS
from image_gender_classifier.outputs.registry import list_output_folders
from image_gender_classifier.system.junk import is_junk_file, is_junk_folder

_ENDINGS = tuple(EXTENSIONS)
_MAX_ENTRIES = 200_000
_MAX_SECONDS = 0.5


class SubfolderCount(NamedTuple):
    """The number of pictures in the subfolders of a folder.

    Attributes:
        pictures: Number of files with a known image extension.
        complete: Whether all readable subfolders were counted.
    """

    pictures: int
    complete: bool


def suggest_recursive(folder: Path, options: Options) -> str:
    """Returns a message that suggests `--recursive` if subfolders have pictures, otherwise ""."""
    if options.recursive or options.picture_list is not None:
        return ""
    below = count_subfolder_pictures(folder, list_output_folders(options.outputs), options.hidden)
    if not below.pictures:
        return ""
    what = "picture is" if below.pictures == 1 else "pictures are"
    return (
        f"{'' if below.complete else 'at least '}{below.pictures:,} {what} in subfolders of "
        f"{folder}; add {_spell_option()} to classify them"
    )


def _spell_option() -> str:
    """Returns the option as a user has to write it, who may have called make."""
    return "ARGS=--recursive" if "MAKELEVEL" in os.environ else "--recursive"


def count_subfolder_pictures(
    folder: Path,
    skip: Collection[Path] = (),
    hidden: bool = False,
    max_entries: int = _MAX_ENTRIES,
    max_seconds: float = _MAX_SECONDS,
) -> SubfolderCount:
    """Counts the files with a known image extension (case-insensitive) in all subfolders.

    Ignores folders that cannot be read.

    Args:
        folder: The folder; pictures directly in it are not counted.
        skip: Subfolders to skip, such as an output folder inside the input folder.
        hidden: Whether to include system junk files and partial downloads, as `--hidden` does.
        max_entries: Number of files and folders after which counting stops.
        max_seconds: Time in seconds after which no further folder is counted.

    Returns:
        The count, which is incomplete if a limit was reached.
    """
    skipped = {os.path.realpath(path) for path in skip}
    deadline = time.monotonic() + max_seconds
    top = os.path.realpath(folder)
    queue = deque([top])
    pictures = listed = 0
    while queue:
        if time.monotonic() > deadline:
            return SubfolderCount(pictures, complete=False)
        parent = queue.popleft()
        with suppress(OSError), os.scandir(parent) as entries:
            for entry in entries:
                listed += 1
                if listed > max_entries:
                    return SubfolderCount(pictures, complete=False)
                if entry.is_dir(follow_symlinks=False):
                    wanted = hidden or not is_junk_folder(entry.name)
                    if wanted and entry.path not in skipped:
                        queue.append(entry.path)
                elif (
                    parent != top
                    and entry.name.lower().endswith(_ENDINGS)
                    and (hidden or not is_junk_file(entry.name))
                ):
                    pictures += entry.is_file()
    return SubfolderCount(pictures, complete=True)
