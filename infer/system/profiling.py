"""Measures the wall time of each stage of a run (`--profile`).

A stage lasts from the end of the previous one, so the times include waiting and the fractions add
up to 100 %.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

NO_SECONDS: Mapping[str, float] = {}
"""An empty mapping from stages to seconds: the default of fields that hold measured times."""


class Clock:
    """A clock that measures nothing: the base class of `RunningClock`, used without `--profile`."""

    def lap(self, stage: str) -> None:
        """Does nothing; see `RunningClock.lap`."""

    def take_seconds(self) -> dict[str, float]:
        """Returns an empty dict; see `RunningClock.take_seconds`."""
        return {}


class RunningClock(Clock):
    """A clock that measures wall time. The first stage begins when the clock is created.

    Not thread-safe.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._ended = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Ends a stage and adds the time since the end of the previous stage to it.

        Args:
            stage: Name of the stage that ends. A stage may occur several times.
        """
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._ended
        self._ended = now

    def take_seconds(self) -> dict[str, float]:
        """Returns the seconds spent in each stage since the last call, then resets them.

        The stages are in the order in which they first ended.
        """
        seconds, self._seconds = self._seconds, {}
        return seconds


OFF = Clock()
"""The default clock of functions that can measure their stages."""


def make_clock(running: bool) -> Clock:
    """Returns a new running clock, or `OFF` if `running` is False."""
    return RunningClock() if running else OFF


def add_seconds(total: dict[str, float], seconds: Mapping[str, float]) -> None:
    """Adds the seconds of each stage to `total` in place."""
    for stage, more in seconds.items():
        total[stage] = total.get(stage, 0.0) + more


def format_table(title: str, seconds: Mapping[str, float], pictures: int) -> str:
    """Formats a table of the seconds, percentage and milliseconds per picture of each stage.

    The last row is the total.

    Args:
        title: Title of the table.
        seconds: Seconds spent in each stage, in the order of the rows; may be empty.
        pictures: Number of pictures; at least 1.

    Returns:
        Lines without a final newline.
    """
    total = sum(seconds.values())
    lines = [f"{title:<34}{'seconds':>9}{'percent':>9}{'ms per picture':>16}"]
    for stage, spent in (*seconds.items(), ("total", total)):
        fraction = spent / (total or 1)
        lines.append(f"  {stage:<32}{spent:>9.3f}{fraction:>9.1%}{1000 * spent / pictures:>16.3f}")
    return "\n".join(lines)
