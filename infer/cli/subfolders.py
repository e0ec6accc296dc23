"""Counts the pictures in the folders below one that is not searched recursively.

It serves a hint only, so it must cost next to nothing: folders are listed, no file is opened, no
link is followed, and it stops early in a large tree.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.imaging.headers import EXTENSIONS

_ENDINGS = tuple(EXTENSIONS)
_MOST_ENTRIES = 200_000
_LONGEST = 0.5  # seconds, and then the folder that is being listed


class Below(NamedTuple):
    """The pictures in folders below a folder.

    Attributes:
        pictures: How many files have a picture's extension.
        complete: Whether all folders were listed; otherwise there may be more pictures.
    """

    pictures: int
    complete: bool


def count_below(
    folder: Path,
    skip: Collection[Path] = (),
    most: int = _MOST_ENTRIES,
    longest: float = _LONGEST,
) -> Below:
    """Counts pictures by their names; folders that cannot be read are ignored.

    Args:
        folder: The folder; its own pictures do not count.
        skip: Folders that are not entered, such as an output folder inside the input.
        most: Files and folders to list at most.
        longest: Seconds that it may take.
    """
    left_out = {os.path.realpath(path) for path in skip}
    deadline = time.monotonic() + longest
    top = os.path.realpath(folder)
    waiting = deque([top])
    pictures = listed = 0
    while waiting:
        if time.monotonic() > deadline:
            return Below(pictures, complete=False)
        parent = waiting.popleft()
        # Folders and links are told from files by the listing itself, on nearly all file systems.
        with suppress(OSError), os.scandir(parent) as entries:
            for entry in entries:
                listed += 1
                if listed > most:
                    return Below(pictures, complete=False)
                if entry.is_dir(follow_symlinks=False):
                    if entry.path not in left_out:
                        waiting.append(entry.path)
                elif parent != top and entry.name.lower().endswith(_ENDINGS):
                    pictures += entry.is_file(follow_symlinks=False)
    return Below(pictures, complete=True)
