"""The pictures that all systems judge."""

from __future__ import annotations

from pathlib import Path

_PORTRAITS = Path("portraits") / "lfw"


def choose(shared: Path, samples: Path, count: int) -> list[Path]:
    """Chooses portraits of shared/, half of them women's, or the samples where there are none.

    Args:
        shared: The folder of shared data sets, which may be absent.
        samples: The project's own sample pictures.
        count: How many portraits.
    """
    groups = [sorted((shared / _PORTRAITS / name).glob("*.jpg")) for name in ("female", "male")]
    if not all(groups):
        return sorted(samples.glob("*.jpg"))
    counts = (count - count // 2, count // 2)
    return [path for group, few in zip(groups, counts, strict=True) for path in spread(group, few)]


def spread(paths: list[Path], count: int) -> list[Path]:
    """Takes every so many, so that all of the list has its share."""
    taken = min(count, len(paths))
    return [paths[index * len(paths) // taken] for index in range(taken)]
