"""What every reader hands back, and the one error that it raises instead.

Published sets are never quite clean. A few flaws are left out and told to the caller, so that
the set stays usable; more than that means a wrong folder or layout, and nothing is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_gender_classifier.errors import GenderClassifierError
from image_gender_classifier.train.datasets.sample import Sample

TOLERATED_FRACTION = 0.01
NAMES_IN_REPORT = 10
_KEY_DIGITS = 16


class DataError(GenderClassifierError):
    """Labelled pictures or their labels are wrong; names the file, the row and what it expects."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Pictures or label rows that became no sample, for one reason.

    Attributes:
        reason: Why, as in "label missing".
        names: The name of each, in reading order.
    """

    reason: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        listed = ", ".join(repr(name) for name in self.names[:NAMES_IN_REPORT])
        more = len(self.names) - NAMES_IN_REPORT
        return f"{self.reason}: {len(self.names):,} ({listed}{f' and {more:,} more' * (more > 0)})"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a data set holds.

    Attributes:
        samples: The labelled pictures in a stable order, no name twice.
        left_out: What became no sample, one entry a reason; no entry is empty. It speaks of all
            that was looked through, also where `samples` is one part of a split.
    """

    samples: tuple[Sample, ...]
    left_out: tuple[LeftOut, ...] = ()

    def key(self) -> str:
        """Condenses the samples' names and labels, wherever the pictures lie."""
        lines = [f"{sample.name}\0{sample.gender}\0{sample.groups}" for sample in self.samples]
        content = "\n".join(lines).encode("utf-8", "surrogateescape")
        return hashlib.sha256(content).hexdigest()[:_KEY_DIGITS]

    def report(self) -> str:
        """Says in one line how many samples there are and what was left out."""
        female = sum(sample.gender == "female" for sample in self.samples)
        counts = f"{len(self.samples):,} samples ({female:,} female)"
        if not self.left_out:
            return counts
        return f"{counts}; left out: {'; '.join(map(str, self.left_out))}"


def collect(samples: Sequence[Sample], left_out: Mapping[str, Sequence[str]]) -> Reading:
    """Builds a reading from samples and from the names left out by reason, if any."""
    reasons = (LeftOut(reason, tuple(names)) for reason, names in left_out.items() if names)
    return Reading(tuple(samples), tuple(reasons))


def is_too_many(flawed: int, total: int) -> bool:
    """Says whether so many flaws mean that the set as a whole is not what was asked for."""
    return flawed > TOLERATED_FRACTION * total


def row_error(path: Path, row: int, problem: str) -> DataError:
    """Makes the error for one row of a label file; the header is row 1."""
    return DataError(f"{path}, row {row}: {problem}")
