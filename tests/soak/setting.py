"""Settings and pictures that all parts share."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from benchmarks.setting import ROOT
from PIL import Image

_SAMPLE = ROOT / "docs" / "samples" / "astronaut.jpg"
_FACE = (100, 0, 350, 250)  # left, top, right and bottom in pixels of the sample


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part receives.

    Attributes:
        work: Folder for temporary files.
        kept: Folder for files that broke something.
        seed: Seed of all random choices.
        scale: Fraction of the usual files, kills and pictures.
        seconds: How long to try hostile files; None for a number of files.
    """

    work: Path
    kept: Path
    seed: int
    scale: float
    seconds: float | None = None

    def times(self, full: int, fewest: int = 1) -> int:
        """Scales a number."""
        return max(round(full * self.scale), fewest)

    def keep(self, name: str, data: bytes, reason: str) -> None:
        """Keeps a file that broke something."""
        self.kept.mkdir(parents=True, exist_ok=True)
        (self.kept / name).write_bytes(data)
        with (self.kept / "why.txt").open("a") as file:
            file.write(f"{name}: {reason}\n")


def portraits(count: int, side: int, folder: Path) -> Path:
    """Fills a new folder with pictures of one face; no two have the same bytes."""
    folder.mkdir(parents=True)
    data = portrait(side)
    for number in range(count):
        (folder / f"{number:06}.jpg").write_bytes(data + str(number).encode())
    return folder


def portrait(side: int) -> bytes:
    """Returns the sample's face as a square JPEG of this many pixels."""
    file = io.BytesIO()
    with Image.open(_SAMPLE) as sample:
        sample.crop(_FACE).resize((side, side)).save(file, "JPEG", quality=90)
    return file.getvalue()
