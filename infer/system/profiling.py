"""Measures the wall time of each stage of a run (`--profile`).

A stage lasts from the end of the previous one, so the times include waiting and the fractions add
up to 100 %.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

NO_SECONDS: Mapping[str, float] = {}


class Clock:
    """A clock that measures nothing."""

    def lap(self, stage: str) -> None:
        """Ends a stage: adds the time since the end of the previous stage to it."""

    def taken(self) -> dict[str, float]:
        """Returns the seconds spent in each stage since the last call, then resets them."""
        return {}


class RunningClock(Clock):
    """A clock that measures wall time, in one thread."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._ended = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Ends a stage: adds the time since the end of the previous stage to it."""
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._ended
        self._ended = now

    def taken(self) -> dict[str, float]:
        """Returns the seconds spent in each stage since the last call, then resets them."""
        seconds, self._seconds = self._seconds, {}
        return seconds


OFF = Clock()


def clock(running: bool) -> Clock:
    """Returns a new running clock, or `OFF` if `running` is False."""
    return RunningClock() if running else OFF


def add_seconds(total: dict[str, float], seconds: Mapping[str, float]) -> None:
    """Adds the seconds of each stage to `total` in place."""
    for stage, more in seconds.items():
        total[stage] = total.get(stage, 0.0) + more


def table(title: str, seconds: Mapping[str, float], pictures: int) -> str:
    """Formats seconds, share and milliseconds per picture of each stage as a table.

    Args:
        title: Title of the table.
        seconds: Seconds spent in each stage, in the order of the rows.
        pictures: Number of pictures; at least 1.

    Returns:
        Lines without a final newline.
    """
    total = sum(seconds.values())
    lines = [f"{title:<34}{'seconds':>9}{'share':>9}{'ms per picture':>16}"]
    for stage, spent in (*seconds.items(), ("total", total)):
        share = spent / (total or 1)
        lines.append(f"  {stage:<32}{spent:>9.3f}{share:>9.1%}{1000 * spent / pictures:>16.3f}")
    return "\n".join(lines)
