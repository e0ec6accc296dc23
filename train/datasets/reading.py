"""The result type of the data set readers, and the error that they raise.

Published data sets have flaws, so readers skip and report a few flawed items. Many of them mean
that the folder or the layout is wrong, so readers then raise DataError.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_gender_classifier.errors import GenderClassifierError
from image_gender_classifier.train.datasets.sample import Sample

MAX_FLAWED_FRACTION = 0.01
NAMES_IN_REPORT = 10
_KEY_DIGITS = 16


class DataError(GenderClassifierError):
    """Raised when labelled pictures are missing or invalid; the message says what and where."""


@dataclass(frozen=True, slots=True)
class SkippedItems:
    """Pictures or label rows that were skipped for the same reason.

    Attributes:
        reason: The reason, such as "label missing".
        names: Names of the skipped items, in reading order.
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
        samples: The labelled pictures of the requested split, in a stable order, with unique names.
        skipped: The items skipped while reading, one entry per reason; can include items of other
            splits.
    """

    samples: tuple[Sample, ...]
    skipped: tuple[SkippedItems, ...] = ()

    def hash_labels(self) -> str:
        """Returns a hash of the samples' names and labels, independent of the folder."""
        lines = [f"{sample.name}\0{sample.gender}\0{sample.groups}" for sample in self.samples]
        content = "\n".join(lines).encode("utf-8", "surrogateescape")
        return hashlib.sha256(content).hexdigest()[:_KEY_DIGITS]

    def summary(self) -> str:
        """Returns the number of samples and the skipped items as one line of text."""
        female = sum(sample.gender == "female" for sample in self.samples)
        counts = f"{len(self.samples):,} samples ({female:,} female)"
        if not self.skipped:
            return counts
        return f"{counts}; skipped: {'; '.join(map(str, self.skipped))}"


def make_reading(samples: Sequence[Sample], skipped: Mapping[str, Sequence[str]]) -> Reading:
    """Creates a `Reading` from samples and skipped items.

    Args:
        samples: The labelled pictures.
        skipped: Names of skipped pictures or label rows by reason; reasons without names are
            omitted.
    """
    reasons = (SkippedItems(reason, tuple(names)) for reason, names in skipped.items() if names)
    return Reading(tuple(samples), tuple(reasons))


def has_too_many_flaws(flawed: int, total: int) -> bool:
    """Returns whether the fraction of flawed pictures exceeds `MAX_FLAWED_FRACTION`."""
    return flawed > MAX_FLAWED_FRACTION * total


def row_error(path: Path, row: int, problem: str) -> DataError:
    """Returns a DataError whose message names a file and a row number (1 for the header)."""
    return DataError(f"{path}, row {row}: {problem}")
