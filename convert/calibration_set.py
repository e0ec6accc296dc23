"""Which crops show the quantiser the ranges of the activations.

For FairFace a committed list of names, so that the shipped files can be made again; for other
data the same choice made on the spot.
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
    """Chooses the calibration set: the committed names where the samples have them all.

    Args:
        samples: The samples that training may learn from.
        size: How many to choose where they have not.

    Returns:
        The chosen samples, in the list's order.
    """
    by_name = {sample.name: sample for sample in samples}
    committed = committed_names()
    if all(name in by_name for name in committed):
        return [by_name[name] for name in committed]
    return balanced(samples, size)


def committed_names() -> list[str]:
    """The names of the committed list."""
    return (files(__package__) / _LIST).read_text("utf-8").split()


def balanced(samples: Sequence[Sample], size: int) -> list[Sample]:
    """Chooses samples evenly over gender and race, in an order that depends on names alone."""
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
