"""Applies `corrections.csv` to the predictions of a run (`--corrections`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.manifest.cache_key import file_hash
from image_gender_classifier.outputs.corrections import Correction
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.picture_content import (
    content_hash,
    get_start,
    hash_start,
    is_content_hash,
    is_hash_of,
    review_run,
)
from image_gender_classifier.outputs.reviewed import apply_correction
from image_gender_classifier.results import Prediction
from image_gender_classifier.system.listed_names import ListedNames
from image_gender_classifier.workers.supervisor import Outcome


class _Row(NamedTuple):
    """A row of the file of corrections: the path of a picture and its correction."""

    file: str
    correction: Correction


class CorrectionSet:
    """The corrections of a run.

    Args:
        pictures: The input folder.
        limits: Limits on the size of pictures.
        corrections: The corrections by path of the picture.
    """

    def __init__(
        self, pictures: Path, limits: Limits, corrections: Mapping[str, Correction]
    ) -> None:
        self._pictures = pictures
        self._limits = limits
        self._corrections: dict[str, Correction] = {}
        self.update(corrections)
        self._outdated: dict[str, str] = {}  # reason by path of the picture
        self._met: set[str] = set()  # paths in rows
        self._found: set[str] = set()  # paths of kept pictures whose rows have other paths
        self._renamed: list[tuple[str, str]] = []  # paths of the picture and in the row
        self._without_row: list[str] = []  # reviewed pictures

    def update(self, corrections: Mapping[str, Correction]) -> Set[str]:
        """Replaces the corrections; returns the paths of the rows that are new or have changed."""
        before = self._corrections.items()
        self._corrections = _match_names(ListedNames(self._pictures), corrections)
        self._other_forms = {
            normalize("NFC", file): file for file in self._corrections if not file.isascii()
        }
        self._by_content = _index_by_content(self._corrections)
        # Few pictures have the beginning of a hash in common, and it is computed in no time.
        self._starts = {get_start(each) for each in self._by_content if is_content_hash(each)}
        self._has_file_hashes = not all(map(is_content_hash, self._by_content))
        return {file for file, _ in self._corrections.items() - before}

    def apply(self, outcome: Outcome) -> Outcome:
        """Returns the outcome of a picture with its correction, if there is one for it."""
        prediction, file = outcome.prediction, outcome.picture.file
        has_row = self.has_row(file)
        if has_row:
            self._met.add(file)
        reviewed = prediction is not None and prediction.status == "reviewed"
        if prediction is None or (has_row and outcome.kept and reviewed):
            return outcome
        row = None
        # Reading a picture again takes longer than keeping its prediction.
        compared = reviewed or not outcome.kept or file in self._found
        if has_row or (self._by_content and compared):
            self._found.discard(file)
            try:
                data = read_bytes(self._pictures / file, self._limits)
            except (UnreadablePicture, Unfinished) as error:
                if has_row:
                    self._outdated[file] = str(error)
                return outcome
            row = self._find(file, data)
        if row is None:
            if has_row:
                self._outdated[file] = "the picture has changed since"
            elif reviewed:
                self._without_row.append(file)
            return outcome
        self._met.add(row.file)
        corrected = apply_correction(prediction, row.correction, review_run(data))
        if corrected == prediction:  # an earlier run has applied it
            return outcome
        if row.file != file:
            self._renamed.append((file, row.file))
        return outcome._replace(prediction=corrected, kept=False)

    def correct(self, prediction: Prediction, data: bytes) -> Prediction:
        """Returns a kept prediction with its correction, if there is one for this content.

        Not for a reviewed one, which `agree` compares. A row of version 0.2.0 is found by the path
        of the picture only: with others, each picture would have to be hashed.
        """
        row = self._find(prediction.file, data, kept=True)
        if row is None:
            return prediction
        if row.file != prediction.file:
            self._found.add(prediction.file)
        return apply_correction(prediction, row.correction, review_run(data))

    def agree(self, earlier: Prediction, data: bytes) -> bool:
        """Returns whether a reviewed prediction is what the corrections say, as far as they do.

        Args:
            earlier: The prediction, with the status `reviewed`.
            data: Content of the picture file.
        """
        row = self._find(earlier.file, data)
        return row is None or apply_correction(earlier, row.correction, earlier.run) == earlier

    def _find(self, file: str, data: bytes, kept: bool = False) -> _Row | None:
        """Returns the row of a picture, else one for the same content under another path.

        Args:
            file: Path of the picture.
            data: Content of its file.
            kept: Whether to omit comparisons that take longer than keeping a prediction.
        """
        correction = self._corrections[file] if self.has_row(file) else None
        if correction is not None:
            picture = correction.picture
            if not picture or is_hash_of(picture, data):
                return _Row(file, correction)
        found = (self._by_content.get(picture) for picture in self._hash(data, kept))
        return next((row for row in found if row is not None), None)

    def _hash(self, data: bytes, kept: bool) -> Iterator[str]:
        """Yields the hashes of a picture that rows may have; see `_find`."""
        if self._starts and hash_start(data) in self._starts:
            yield content_hash(data)
        if self._has_file_hashes and not kept:
            yield file_hash(data)

    def has_row(self, file: str) -> bool:
        """Returns whether there is a correction for a path of a picture."""
        if file in self._corrections or file.isascii():
            return file in self._corrections
        # The picture may have arrived after the names in the rows were matched (`--watch`).
        row = self._other_forms.get(normalize("NFC", file))
        if row in self._corrections and ListedNames(self._pictures).find_spelling(row) == file:
            self._corrections[file] = self._corrections.pop(row)
        return file in self._corrections

    def take_messages(self) -> list[str]:
        """Returns messages about corrections that did not fit pictures since the last call."""
        messages = []
        if self._outdated:
            file, reason = next(iter(self._outdated.items()))
            example = f"such as that of {escape_text(file)!r} ({reason})"
            count = _count(len(self._outdated))
            messages.append(f"{count} not applied, {example}; review it again")
            self._outdated.clear()
        if self._renamed:
            file, earlier_file = self._renamed[0]
            messages.append(
                f"{_count(len(self._renamed))} applied to pictures that were renamed or copied, "
                f"such as {escape_text(file)!r} (the row is that of {escape_text(earlier_file)!r})"
            )
            self._renamed.clear()
        return messages

    def describe_differences(self, whole: bool = True) -> list[str]:
        """Returns messages about corrections and pictures that do not fit each other; at the end.

        Args:
            whole: Whether the run classifies the whole folder, so that corrections for other
                pictures are worth a message.
        """
        messages = self.take_messages()
        unused = [file for file in self._corrections if whole and file not in self._met]
        if unused:
            messages.append(
                f"{_count(len(unused))} for pictures that are not in this run, such as "
                f"{escape_text(unused[0])!r}"
            )
        if self._without_row:
            count = len(self._without_row)
            subject = f"{count:,} reviewed picture{'s have' if count > 1 else ' has'}"
            messages.append(
                f"{subject} no row in the file of --corrections, such as "
                f"{escape_text(self._without_row[0])!r}; to predict such pictures again, remove "
                "their XML files or run without --resume"
            )
        return messages


def _match_names(
    names: ListedNames, corrections: Mapping[str, Correction]
) -> dict[str, Correction]:
    """Returns the corrections by the paths that their pictures have in the input folder.

    Args:
        names: The names in the input folder.
        corrections: The corrections by path in the row.
    """
    found = {}
    for file, correction in corrections.items():
        spelling = None if file.isascii() else names.find_spelling(file)
        found[file if spelling is None or spelling in corrections else spelling] = correction
    return found


def _index_by_content(corrections: Mapping[str, Correction]) -> dict[str, _Row]:
    """Returns the corrections by the hash of the picture, without those that contradict others.

    Args:
        corrections: The corrections by path of the picture.
    """
    found: dict[str, _Row] = {}
    contradicted = set()
    for file, correction in corrections.items():
        picture = correction.picture
        if picture and found.setdefault(picture, _Row(file, correction)).correction != correction:
            contradicted.add(picture)
    return {picture: row for picture, row in found.items() if picture not in contradicted}


def _count(corrections: int) -> str:
    return f"{corrections:,} correction{'s are' if corrections > 1 else ' is'}"
