"""Counts the pictures of a run by result and formats the summary line."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from image_gender_classifier.results import Prediction
from image_gender_classifier.workers.supervisor import Outcome

_COUNTED = ("female", "male", "uncertain", "no_face", "unreadable")


def _kind(prediction: Prediction) -> str:
    """Returns as what a picture counts: its gender if that is known, otherwise its status."""
    if prediction.status != "reviewed":
        return prediction.gender if prediction.status == "classified" else prediction.status
    if prediction.gender != "unknown":
        return prediction.gender
    return "uncertain" if prediction.faces else "no_face"


class Totals:
    """Numbers of pictures by result.

    Attributes:
        counts: Pictures with a prediction, by gender if classified, otherwise by status.
        reviewed: Pictures that a person reviewed; they count by their gender, if it is known.
        kept: Pictures whose prediction of an earlier run was still valid; also in `counts`.
        newly_unreadable: Unreadable pictures that no earlier run reported; also in `counts`.
        failed: Pictures without a prediction: a timeout, a killed worker, too little memory, an
            unavailable drive or an internal error.
        left_out: Number of files that an output did not write, such as a sidecar that is not XMP.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.reviewed = self.kept = self.newly_unreadable = self.failed = self.left_out = 0

    def add(self, outcome: Outcome) -> None:
        """Counts one picture by its outcome."""
        prediction = outcome.prediction
        if prediction is None:
            self.failed += 1
            return
        self.counts[_kind(prediction)] += 1
        self.reviewed += prediction.status == "reviewed"
        self.kept += outcome.kept
        self.newly_unreadable += prediction.status == "unreadable" and not outcome.kept

    def summarise(
        self,
        form: Literal["text", "json"],
        ignored: int,
        unread: int,
        seconds: float,
        unread_files: int = 0,
    ) -> str:
        """Formats the summary line that is printed at the end of a run.

        Args:
            form: Whether the line is text or a JSON object.
            ignored: Number of other files, as in `Listing.ignored`.
            unread: Number of subfolders and given paths that could not be read completely.
            seconds: Wall time of the run.
            unread_files: Number of files that may be pictures and could not be read.
        """
        if form == "json":
            return self._summarise_as_json(ignored, unread, unread_files, seconds)
        pictures = self._pictures
        counts = ", ".join(f"{self.counts[what]} {what.replace('_', ' ')}" for what in _COUNTED)
        line = f"{pictures} picture{'s' * (pictures != 1)}: {counts}"
        if self.failed:
            line += f", {self.failed} failed"
        if self.reviewed:
            line += f"; {self.reviewed} of them reviewed"
        if self.kept:
            line += f"; {self.kept} of them kept from an earlier run"
        if ignored:
            line += f"; {ignored} other file{'s' * (ignored > 1)} ignored"
        if self.left_out:
            line += f"; {self.left_out} file{'s' * (self.left_out > 1)} not written"
        if unread:
            line += f"; {unread} folder{'s' * (unread > 1)} could not be read"
        if unread_files:
            line += f"; {unread_files} other file{'s' * (unread_files > 1)} could not be read"
        rate = pictures / max(seconds, 1e-9)
        return f"{line}; {seconds:.1f} s, {rate:.1f} pictures per second"

    def _summarise_as_json(
        self, ignored: int, unread: int, unread_files: int, seconds: float
    ) -> str:
        import json

        return json.dumps(
            {
                "pictures": self._pictures,
                **self.by_result(),
                "newly_unreadable": self.newly_unreadable,
                "ignored": ignored,
                "not_written": self.left_out,
                "unreadable_folders": unread,
                "unreadable_files": unread_files,
                "seconds": round(seconds, 3),
            }
        )

    def by_result(self) -> dict[str, int]:
        """Returns the numbers of pictures by result, for programs."""
        return {
            **{what: self.counts[what] for what in _COUNTED},
            "reviewed": self.reviewed,
            "internal_errors": self.failed,
            "kept": self.kept,
        }

    @property
    def _pictures(self) -> int:
        return sum(self.counts.values()) + self.failed
