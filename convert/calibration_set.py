"""Choice of the calibration set for quantisation.

FairFace uses a committed list of names, which makes the shipped files reproducible. Other data sets
use the same rule on their own samples.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files

from image_gender_classifier.train.datasets.sample import Sample

SIZE = 504  # 36 of each of FairFace's 14 race x gender cells
_LIST = "calibration_fairface.txt"


def choose(samples: Sequence[Sample], size: int = SIZE) -> list[Sample]:
    """Chooses the calibration set: the committed list if the samples contain all of it.

    Args:
        samples: The training samples.
        size: Number of samples to choose without the list.

    Returns:
        The chosen samples, in the list's order.
    """
    by_name = {sample.name: sample for sample in samples}
    committed = committed_names()
    if all(name in by_name for name in committed):
        return [by_name[name] for name in committed]
    return balanced(samples, size)


def committed_names() -> list[str]:
    """Reads the names of the committed list."""
    return (files(__package__) / _LIST).read_text("utf-8").split()


def balanced(samples: Sequence[Sample], size: int) -> list[Sample]:
    """Chooses samples evenly over gender and race, ordered by the hash of their names."""
    cells: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=_order):
        cells[sample.groups.get("race", ""), sample.gender].append(sample)
    ranked = [
        (rank, cell, sample)
        for cell, members in cells.items()
        for rank, sample in enumerate(members)
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return [sample for _, _, sample in ranked[:size]]


def _order(sample: Sample) -> bytes:
    return hashlib.sha256(sample.name.encode("utf-8", "surrogateescape")).digest()
