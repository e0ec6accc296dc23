"""What every part of the soak is given."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from soak.running import ROOT

_SAMPLE = ROOT / "docs" / "samples" / "astronaut.jpg"
_FACE = (100, 0, 350, 250)  # left, top, right and bottom in pixels of the sample
_MOST_LINKS = 1000  # of one file; some file systems allow few


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part of the soak is given.

    Attributes:
        work: Folder for whatever a part writes.
        kept: Folder for files that broke something.
        seed: What chance begins with.
        scale: How much to do: 1 for the whole, less for a trial.
        seconds: How long to try ever further hostile files; None for a number of them.
    """

    work: Path
    kept: Path
    seed: int
    scale: float
    seconds: float | None = None

    def times(self, full: int, fewest: int = 1) -> int:
        """How often to do what the whole soak does `full` times."""
        return max(round(full * self.scale), fewest)

    def keep(self, name: str, data: bytes, why: str) -> None:
        """Keeps a file that broke something."""
        self.kept.mkdir(parents=True, exist_ok=True)
        (self.kept / name).write_bytes(data)
        with (self.kept / "why.txt").open("a") as file:
            file.write(f"{name}: {why}\n")


def portraits(count: int, side: int, folder: Path) -> Path:
    """Fills a new folder with pictures of a face, no two of the same bytes."""
    folder.mkdir(parents=True)
    data = portrait(side)
    for number in range(count):
        (folder / f"{number:06}.jpg").write_bytes(data + str(number).encode())
    return folder


def portrait(side: int) -> bytes:
    """Gives the sample's face as a JPEG file of this size in pixels."""
    file = io.BytesIO()
    with Image.open(_SAMPLE) as sample:
        sample.crop(_FACE).resize((side, side)).save(file, "JPEG", quality=90)
    return file.getvalue()


def linked(sources: Sequence[tuple[str, bytes]], count: int, folder: Path) -> Path:
    """Fills a new folder with `count` hard links to a few different files in turn.

    Args:
        sources: Extension and bytes of each.
        count: How many.
        folder: The folder.
    """
    folder.mkdir(parents=True)
    origin: dict[int, Path] = {}
    for number in range(count):
        which = number % len(sources)
        extension, data = sources[which]
        path = folder / f"{number:06}{extension}"
        if number // len(sources) % _MOST_LINKS == 0:
            path.write_bytes(data)
            origin[which] = path
            continue
        try:
            os.link(origin[which], path)
        except OSError:
            shutil.copyfile(origin[which], path)
    return folder
