"""The result of the readers, and their error.

Readers leave out and report a few flawed pictures, because published data sets have flaws. Many
flaws mean a wrong folder or layout, and are an error.
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
    """Pictures or labels are wrong; the message names file, row and the expected value."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Pictures or label rows that were left out for one reason.

    Attributes:
        reason: The reason, such as "label missing".
        names: Their names, in reading order.
    """

    reason: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        listed = ", ".join(repr(name) for name in self.names[:NAMES_IN_REPORT])
        more = len(self.names) - NAMES_IN_REPORT
        return f"{self.reason}: {len(self.names):,} ({listed}{f' and {more:,} more' * (more > 0)})"


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of a data set.

    Attributes:
        samples: The labelled pictures in a stable order, with unique names.
        left_out: What was left out of the whole data set, one entry per reason; `samples` can be
            one part of it.
    """

    samples: tuple[Sample, ...]
    left_out: tuple[LeftOut, ...] = ()

    def key(self) -> str:
        """Hashes the samples' names and labels, independent of the folder."""
        lines = [f"{sample.name}\0{sample.gender}\0{sample.groups}" for sample in self.samples]
        content = "\n".join(lines).encode("utf-8", "surrogateescape")
        return hashlib.sha256(content).hexdigest()[:_KEY_DIGITS]

    def report(self) -> str:
        """Formats the number of samples and what was left out in one line."""
        female = sum(sample.gender == "female" for sample in self.samples)
        counts = f"{len(self.samples):,} samples ({female:,} female)"
        if not self.left_out:
            return counts
        return f"{counts}; left out: {'; '.join(map(str, self.left_out))}"


def collect(samples: Sequence[Sample], left_out: Mapping[str, Sequence[str]]) -> Reading:
    """Builds a reading from samples and the names left out by reason."""
    reasons = (LeftOut(reason, tuple(names)) for reason, names in left_out.items() if names)
    return Reading(tuple(samples), tuple(reasons))


def is_too_many(flawed: int, total: int) -> bool:
    """Reports whether there are so many flaws that the data set must be the wrong one."""
    return flawed > TOLERATED_FRACTION * total


def row_error(path: Path, row: int, problem: str) -> DataError:
    """Creates the error for a row of a label file; the header is row 1."""
    return DataError(f"{path}, row {row}: {problem}")
