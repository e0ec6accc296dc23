"""Applies `corrections.csv` to the predictions of a run (`--corrections`)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging.files import read_bytes
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.manifest.cache_key import REVIEWED, picture_hash, run_hash
from image_gender_classifier.outputs.corrections import Correction
from image_gender_classifier.outputs.escaping import escape_text
from image_gender_classifier.outputs.reviewed import apply_correction
from image_gender_classifier.results import Prediction
from image_gender_classifier.system.listed_names import ListedNames
from image_gender_classifier.workers.supervisor import Outcome


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
        names = ListedNames(pictures)
        self._corrections = _match_names(names, corrections)
        self._moved = _index_by_content(names, self._corrections)
        self._outdated: dict[str, str] = {}  # reason by path of the picture
        self._met: set[str] = set()  # paths in rows
        self._renamed: list[tuple[str, str]] = []  # paths of the picture and in the row
        self._without_row: list[str] = []  # reviewed pictures

    def apply(self, outcome: Outcome) -> Outcome:
        """Returns the outcome of a picture with its correction, if there is one for it."""
        prediction = outcome.prediction
        correction = self._corrections.get(outcome.picture.file)
        if correction is None:
            return outcome if prediction is None else self._apply_by_content(outcome, prediction)
        self._met.add(outcome.picture.file)
        if prediction is None or (outcome.kept and prediction.status == "reviewed"):
            return outcome
        try:
            data = read_bytes(self._pictures / outcome.picture.file, self._limits)
        except (UnreadablePicture, Unfinished) as error:
            self._outdated[outcome.picture.file] = str(error)
            return outcome
        if not _is_for(correction, data):
            self._outdated[outcome.picture.file] = "the picture has changed since"
            return outcome
        corrected = apply_correction(prediction, correction, run_hash(data, REVIEWED))
        return outcome._replace(prediction=corrected, kept=False)

    def _apply_by_content(self, outcome: Outcome, prediction: Prediction) -> Outcome:
        """Returns the outcome of a picture without a row, with the correction of its earlier path.

        Only new predictions and reviewed ones are compared with the rows: hashing a picture takes
        longer than keeping its prediction.
        """
        file = outcome.picture.file
        reviewed = prediction.status == "reviewed"
        data = None
        if self._moved and (reviewed or not outcome.kept):
            with suppress(UnreadablePicture, Unfinished):
                data = read_bytes(self._pictures / file, self._limits)
        row = None if data is None else self._moved.get(picture_hash(data))
        if data is None or row is None:
            if reviewed:
                self._without_row.append(file)
            return outcome
        earlier_file, correction = row
        self._met.add(earlier_file)
        corrected = apply_correction(prediction, correction, run_hash(data, REVIEWED))
        if corrected == prediction:
            return outcome
        self._renamed.append((file, earlier_file))
        return outcome._replace(prediction=corrected, kept=False)

    def correct(self, prediction: Prediction, data: bytes) -> Prediction:
        """Returns a prediction with its correction, if there is one for this content."""
        correction = self._corrections.get(prediction.file)
        if correction is None or not _is_for(correction, data):
            return prediction
        return apply_correction(prediction, correction, run_hash(data, REVIEWED))

    def agree(self, earlier: Prediction, data: bytes) -> bool:
        """Returns whether a reviewed prediction is what the corrections say, as far as they do.

        Args:
            earlier: The prediction, with the status `reviewed`.
            data: Content of the picture file.
        """
        correction = self._corrections.get(earlier.file)
        if correction is None and self._moved:
            _, correction = self._moved.get(picture_hash(data), ("", None))
        if correction is None or not _is_for(correction, data):
            return True
        return apply_correction(earlier, correction, earlier.run) == earlier

    def has_row(self, file: str) -> bool:
        """Returns whether there is a correction for a path of a picture."""
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
                f"{_count(len(self._renamed))} applied to pictures that were renamed or moved, "
                f"such as {escape_text(file)!r} (formerly {escape_text(earlier_file)!r})"
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


def _index_by_content(
    names: ListedNames, corrections: Mapping[str, Correction]
) -> dict[str, tuple[str, Correction]]:
    """Returns the corrections whose files do not exist any more, by the hash of the picture.

    Rows that contradict each other are omitted.

    Args:
        names: The names in the input folder.
        corrections: The corrections by path of the picture.

    Returns:
        The path in the row and the correction.
    """
    found: dict[str, tuple[str, Correction]] = {}
    contradicted = set()
    for file, correction in corrections.items():
        if not correction.picture or names.has(file):
            continue
        if found.setdefault(correction.picture, (file, correction))[1] != correction:
            contradicted.add(correction.picture)
    return {picture: row for picture, row in found.items() if picture not in contradicted}


def _is_for(correction: Correction, data: bytes) -> bool:
    return not correction.picture or correction.picture == picture_hash(data)


def _count(corrections: int) -> str:
    return f"{corrections:,} correction{'s are' if corrections > 1 else ' is'}"
