"""Selects the calibration set (representative data set) for post-training quantisation.

For FairFace, the set is a committed list of names, so that the shipped files can be reproduced. For
other data sets, `choose_balanced` selects it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files

from image_gender_classifier.train.datasets.sample import Sample

SIZE = 504  # 36 samples for each of the 14 race x gender cells of FairFace
_LIST = "calibration_fairface.txt"


def choose_calibration_samples(samples: Sequence[Sample], size: int = SIZE) -> list[Sample]:
    """Selects the samples of the calibration set.

    Uses the committed list if `samples` contains all of its names, otherwise `choose_balanced`.

    Args:
        samples: The training samples.
        size: Number of samples to select if the list is not used.

    Returns:
        The samples in the order of the list, or as returned by `choose_balanced`.
    """
    by_name = {sample.name: sample for sample in samples}
    committed = read_committed_names()
    if all(name in by_name for name in committed):
        return [by_name[name] for name in committed]
    return choose_balanced(samples, size)


def read_committed_names() -> list[str]:
    """Reads and returns the sample names of FairFace's committed calibration set, in file order."""
    return (files(__package__) / _LIST).read_text("utf-8").split()


def choose_balanced(samples: Sequence[Sample], size: int) -> list[Sample]:
    """Selects a subset balanced by race and gender (stratified, deterministic).

    Takes one sample from each race x gender cell in turn; within a cell, samples are ordered by a
    hash of their name. Samples without a race label form cells of their own.

    Args:
        samples: The samples to select from.
        size: Number of samples to select.

    Returns:
        `size` samples, or all samples if there are fewer.
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
    """Returns the SHA-256 of a sample's name, as a pseudorandom but stable sort key."""
    return hashlib.sha256(sample.name.encode("utf-8", "surrogateescape")).digest()
