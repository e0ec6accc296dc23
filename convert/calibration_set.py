"""Selects the calibration set (representative data set) for quantisation.

For FairFace, it is a committed list of names, so that the shipped files can be reproduced. For
other data sets, the same rule selects from their own samples.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files

from image_gender_classifier.train.datasets.sample import Sample

SIZE = 504  # 36 of each of FairFace's 14 race x gender cells
_LIST = "calibration_fairface.txt"


def choose_calibration_samples(samples: Sequence[Sample], size: int = SIZE) -> list[Sample]:
    """Selects the calibration set: the committed list if `samples` contains all of it.

    Args:
        samples: The training samples.
        size: Number of samples to select if the list is not used.

    Returns:
        The selected samples: in the order of the list, or as `choose_balanced` returns them.
    """
    by_name = {sample.name: sample for sample in samples}
    committed = read_committed_names()
    if all(name in by_name for name in committed):
        return [by_name[name] for name in committed]
    return choose_balanced(samples, size)


def read_committed_names() -> list[str]:
    """Returns the committed list of sample names of FairFace."""
    return (files(__package__) / _LIST).read_text("utf-8").split()


def choose_balanced(samples: Sequence[Sample], size: int) -> list[Sample]:
    """Selects samples with gender and race balanced, in pseudo-random order by hash of the name.

    Args:
        samples: The samples to select from.
        size: Number of samples to select.

    Returns:
        `size` samples, or all of them if there are fewer.
    """
    cells: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=_hash_name):
        cells[sample.groups.get("race", ""), sample.gender].append(sample)
    ranked = [
        (rank, cell, sample)
        for cell, members in cells.items()
        for rank, sample in enumerate(members)
    ]
    ranked.sort(key=lambda entry: entry[:2])
    return [sample for _, _, sample in ranked[:size]]


def _hash_name(sample: Sample) -> bytes:
    return hashlib.sha256(sample.name.encode("utf-8", "surrogateescape")).digest()
