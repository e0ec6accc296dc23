"""Folders of pictures for benchmarks, made of hard links to a few files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import ask

_SAMPLE = Path("docs/samples/astronaut.jpg")


def find_portraits(shared: Path, root: Path) -> tuple[tuple[Path, ...], bool]:
    """Returns the shared portraits, women and men alternating, or else one sample picture.

    Returns:
        The pictures, and whether they are the shared ones.
    """
    folders = [shared / "portraits" / "lfw" / gender for gender in ("female", "male")]
    women, men = (sorted(folder.glob("*.jpg")) for folder in folders)
    pairs = [path for pair in zip(women, men, strict=False) for path in pair]
    return (tuple(pairs), True) if pairs else ((root / _SAMPLE,), False)


def enlarge(sources: Sequence[Path], side: int, folder: Path) -> list[Path]:
    """Writes JPEG copies with another longest side.

    Raises:
        CannotMeasure: A picture cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(path) for path in ask("enlarge", folder, side, side, *sources)]


def stretch(source: Path, width: int, height: int, folder: Path, progressive: bool) -> None:
    """Writes a baseline or progressive JPEG copy of exactly this size."""
    folder.mkdir(parents=True, exist_ok=True)
    ask("enlarge", folder, width, height, *["--progressive"] * progressive, source)


def linked(sources: Sequence[Path], count: int, folder: Path) -> Path:
    """Fills a new folder with `count` hard links that repeat the sources."""
    folder.mkdir(parents=True)
    for i in range(count):
        source = sources[i % len(sources)]
        target = folder / f"{i:06d}{source.suffix}"
        try:
            os.link(source, target)
        except OSError:  # another file system, or its limit on links
            shutil.copyfile(source, target)
    return folder
