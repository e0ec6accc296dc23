"""The result of the data set readers, `Reading`, and the exception that they raise, `DataError`.

Data sets have flaws, so readers skip and report unlabelled pictures and repeated items. A FairFace
label without a picture, labels missing from more than 1% of UTKFace's file names, or many rows of a
label file without a gender or a picture mean that the folder or the layout is wrong, so readers
then raise DataError.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_gender_classifier.errors import GenderClassifierError, UnreadablePicture
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.train.datasets.sample import Sample
from image_gender_classifier.train.datasets.unfinished import name_unfinished

MAX_FLAWED_FRACTION = 0.01
NAMES_IN_REPORT = 10
_KEY_DIGITS = 16


class DataError(GenderClassifierError):
    """Raised when labels or pictures are missing or invalid; the message names the file."""


@dataclass(frozen=True, slots=True)
class SkippedItems:
    """Pictures or label rows that were skipped for the same reason.

    Attributes:
        reason: The reason, such as "label missing".
        names: Names of the skipped items, in reading order, at least one.
    """

    reason: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        """Returns reason, number of items and the first names, such as "label missing: 1 ('a')"."""
        listed = ", ".join(repr(name) for name in self.names[:NAMES_IN_REPORT])
        more = len(self.names) - NAMES_IN_REPORT
        return f"{self.reason}: {len(self.names):,} ({listed}{f' and {more:,} more' * (more > 0)})"


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading a data set.

    Attributes:
        samples: The labelled pictures of the requested split, in a stable order, with unique names.
        skipped: The items skipped while reading, one entry per reason; can include items that do
            not belong to the split.
    """

    samples: tuple[Sample, ...]
    skipped: tuple[SkippedItems, ...] = ()

    def hash_labels(self) -> str:
        """Returns a hash of the samples' names and labels, which does not depend on their paths."""
        lines = [
            f"{sample.name}\0{sample.gender}\0{sample.groups}{sample.box or ''}"
            for sample in self.samples
        ]
        content = "\n".join(lines).encode("utf-8", "surrogateescape")
        return hashlib.sha256(content).hexdigest()[:_KEY_DIGITS]

    def hash_pictures(self) -> str:
        """Returns a hash of the picture files' contents, which does not depend on their paths.

        A picture that cannot be read counts with the reason.

        Raises:
            Unfinished: The disk, the network or the system prevents reading a picture.
        """
        digest = hashlib.sha256()
        for sample in self.samples:
            digest.update(hashlib.sha256(_read_picture(sample.path)).digest())
        return digest.hexdigest()[:_KEY_DIGITS]

    def summary(self) -> str:
        """Formats the number of samples and the skipped items as one line of text."""
        female = sum(sample.gender == "female" for sample in self.samples)
        counts = f"{format_count(len(self.samples), 'sample')} ({female:,} female)"
        if not self.skipped:
            return counts
        return f"{counts}; skipped: {'; '.join(map(str, self.skipped))}"


def make_reading(samples: Sequence[Sample], skipped: Mapping[str, Sequence[str]]) -> Reading:
    """Creates a `Reading` from samples and skipped items.

    Args:
        samples: The labelled pictures.
        skipped: Names of the skipped pictures or label rows by reason; a reason without names is
            omitted.
    """
    reasons = (SkippedItems(reason, tuple(names)) for reason, names in skipped.items() if names)
    return Reading(tuple(samples), tuple(reasons))


def _read_picture(path: Path) -> bytes:
    """Returns the content of a picture file, or the reason why it cannot be read.

    Raises:
        Unfinished: The disk, the network or the system prevents reading it.
    """
    try:
        with name_unfinished(path):
            return read_bytes(path)
    except UnreadablePicture as error:
        return str(error).encode()


def format_count(number: int, noun: str) -> str:
    """Formats a number with its noun, such as "1 sample" or "2,000 samples"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def has_too_many_flaws(flawed: int, total: int) -> bool:
    """Returns whether more than `MAX_FLAWED_FRACTION` (1%) of `total` pictures are flawed."""
    return flawed > MAX_FLAWED_FRACTION * total


def row_error(path: Path, row: int, problem: str) -> DataError:
    """Returns a DataError with the message "PATH, row ROW: PROBLEM"; rows count from 1."""
    return DataError(f"{path}, row {row}: {problem}")
