"""Prints progress as JSON lines for programs (`--progress json`)."""

from __future__ import annotations

import json
import sys
import time

from image_gender_classifier.cli.progress import Progress
from image_gender_classifier.cli.totals import Totals
from image_gender_classifier.system.console import print_line

_INTERVAL = 0.2  # seconds between records


class JsonProgress(Progress):
    """Prints a record at the start, at most five per second, and one at the end.

    Args:
        total: Number of pictures.
        totals: The counts of the run so far.
    """

    def __init__(self, total: int, totals: Totals) -> None:
        super().__init__(total, wanted=False)
        self._total, self._totals = total, totals
        self._done = 0
        self._start = self._printed = time.monotonic()
        self._print_record()

    def __exit__(self, *_: object) -> None:
        self._print_record(final=True)

    def advance(self) -> None:
        """Counts one picture; prints a record if the last one is old enough."""
        self._done += 1
        if time.monotonic() >= self._printed + _INTERVAL:
            self._print_record()

    def _print_record(self, final: bool = False) -> None:
        self._printed = time.monotonic()
        elapsed = self._printed - self._start
        remaining = None
        if self._done:
            remaining = round(elapsed / self._done * (self._total - self._done), 3)
        record = {
            "done": self._done,
            "total": self._total,
            **self._totals.by_result(),
            "elapsed": round(elapsed, 3),
            "remaining": remaining,
            "final": final,
        }
        print_line(json.dumps(record), sys.stderr)
