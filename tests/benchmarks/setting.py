"""What every benchmark is given: the command, the pictures, the peer, how much to measure."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import CannotMeasure
from benchmarks.processes import Run, run

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
_COMMAND = Path(sys.executable).with_name("image-gender-classifier")


@dataclass(frozen=True, slots=True)
class Setting:
    """What every benchmark is given.

    Attributes:
        work: Folder for whatever a benchmark writes.
        portraits: Pictures of 250 pixels with a face each, or the project's sample.
        real: Whether these are the shared portraits, not the sample.
        peer: The nearest peer's virtual environment, if it could be made.
        many: How many pictures the folder has that shows whether cost grows.
        crowd: How many pictures the folder has in which memory is measured.
        share: How much of everything else to measure: 1 for figures, less for a trial.
    """

    work: Path
    portraits: tuple[Path, ...]
    real: bool
    peer: Path
    many: int
    crowd: int
    share: float

    def times(self, full: int, fewest: int = 1) -> int:
        """How often to do what a whole measurement does `full` times."""
        return max(round(full * self.share), fewest)

    @property
    def peer_python(self) -> Path:
        """The peer's interpreter.

        Raises:
            CannotMeasure: There is no peer.
        """
        python = self.peer / "bin" / "python"
        if not (self.peer / ".made").exists():
            raise CannotMeasure(f"no peer in {self.peer.name}; make bench takes it from PyPI")
        return python

    def output(self) -> Path:
        """An empty output folder; it stays until all is measured."""
        return Path(tempfile.mkdtemp(prefix="out-", dir=self.work))

    def classify(self, pictures: Path, *options: object, sample_every: float | None = None) -> Run:
        """Runs the whole command over a folder, into an empty one."""
        return classify_into(self.output(), pictures, *options, sample_every=sample_every)


def classify_into(
    out: Path, pictures: Path, *options: object, sample_every: float | None = None
) -> Run:
    """Runs the whole command over a folder."""
    return run([*command(pictures, out), *map(str, options)], sample_every)


def command(pictures: Path, out: Path) -> list[str | Path]:
    """The command as a user types it."""
    return [_COMMAND, "--quiet", "-i", pictures, "-o", out]


def program() -> Path:
    """The command's own file."""
    return _COMMAND


def cores() -> int:
    """How many cores there are for the command."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
