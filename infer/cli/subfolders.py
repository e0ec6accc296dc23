"""Counts the pictures in the subfolders of a folder, for a hint at `--recursive`.

It opens no file, enters no linked folder, and stops early in a large tree.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.imaging.formats import EXTENSIONS
from image_gender_classifier.system.clutter import is_clutter_file, is_clutter_folder

_ENDINGS = tuple(EXTENSIONS)
_MAX_ENTRIES = 200_000
_MAX_SECONDS = 0.5


class Below(NamedTuple):
    """The pictures in the subfolders of a folder.

    Attributes:
        pictures: Number of files with a picture's extension.
        complete: Whether all subfolders were listed.
    """

    pictures: int
    complete: bool


def count_below(
    folder: Path,
    skip: Collection[Path] = (),
    hidden: bool = False,
    max_entries: int = _MAX_ENTRIES,
    max_seconds: float = _MAX_SECONDS,
) -> Below:
    """Counts pictures by their names; ignores folders that cannot be read.

    Args:
        folder: The folder; its own pictures do not count.
        skip: Folders that are not entered, such as an output folder inside the input.
        hidden: Count what `--hidden` adds.
        max_entries: Number of files and folders after which to stop.
        max_seconds: Time after which to start no further folder.
    """
    skipped = {os.path.realpath(path) for path in skip}
    deadline = time.monotonic() + max_seconds
    top = os.path.realpath(folder)
    queue = deque([top])
    pictures = listed = 0
    while queue:
        if time.monotonic() > deadline:
            return Below(pictures, complete=False)
        parent = queue.popleft()
        with suppress(OSError), os.scandir(parent) as entries:
            for entry in entries:
                listed += 1
                if listed > max_entries:
                    return Below(pictures, complete=False)
                if entry.is_dir(follow_symlinks=False):
                    wanted = hidden or not is_clutter_folder(entry.name)
                    if wanted and entry.path not in skipped:
                        queue.append(entry.path)
                elif (
                    parent != top
                    and entry.name.lower().endswith(_ENDINGS)
                    and (hidden or not is_clutter_file(entry.name))
                ):
                    pictures += entry.is_file()
    return Below(pictures, complete=True)
