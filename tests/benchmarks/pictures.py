"""The folders of pictures that benchmarks need.

Hard links make a folder of any size of a few pictures, without the disk's help: what the command
does with a picture does not depend on having seen its bytes before.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import ask

_SAMPLE = Path("docs/samples/astronaut.jpg")


def find_portraits(shared: Path, root: Path) -> tuple[tuple[Path, ...], bool]:
    """Gives the shared portraits, women and men in turn, or else the sample with a face.

    Returns:
        The pictures, and whether they are the shared ones.
    """
    folders = [shared / "portraits" / "lfw" / gender for gender in ("female", "male")]
    women, men = (sorted(folder.glob("*.jpg")) for folder in folders)
    pairs = [path for pair in zip(women, men, strict=False) for path in pair]
    return (tuple(pairs), True) if pairs else ((root / _SAMPLE,), False)


def enlarge(sources: Sequence[Path], side: int, folder: Path) -> list[Path]:
    """Writes the pictures as JPEG with another longest side.

    Raises:
        CannotMeasure: One cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(path) for path in ask("enlarge", folder, side, side, *sources)]


def stretch(source: Path, width: int, height: int, folder: Path, progressive: bool = False) -> None:
    """Writes one picture as baseline or progressive JPEG of exactly this size."""
    folder.mkdir(parents=True, exist_ok=True)
    form = ["--progressive"] if progressive else []
    ask("enlarge", folder, width, height, *form, source)


def linked(sources: Sequence[Path], count: int, folder: Path) -> Path:
    """Fills a new folder with `count` pictures that are the given ones over and over."""
    folder.mkdir(parents=True)
    for i in range(count):
        source = sources[i % len(sources)]
        target = folder / f"{i:06d}{source.suffix}"
        try:
            os.link(source, target)
        except OSError:  # another file system, or more links than this one allows
            shutil.copyfile(source, target)
    return folder
