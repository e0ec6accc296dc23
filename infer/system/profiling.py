"""How long each stage of a run takes, for `--profile`.

A clock is read at the end of each stage, so all of a thread's time is told, waiting too, and the
shares add up.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

NO_SECONDS: Mapping[str, float] = {}


class Clock:
    """A clock that is off."""

    def lap(self, stage: str) -> None:
        """Says that a stage has ended: the time since the last one ended was its."""

    def taken(self) -> dict[str, float]:
        """Gives the seconds of each stage since this was last asked."""
        return {}


class RunningClock(Clock):
    """A clock that measures elapsed time; for one thread."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._ended = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Says that a stage has ended: the time since the last one ended was its."""
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._ended
        self._ended = now

    def taken(self) -> dict[str, float]:
        """Gives the seconds of each stage since this was last asked."""
        seconds, self._seconds = self._seconds, {}
        return seconds


OFF = Clock()


def clock(running: bool) -> Clock:
    """A clock of a thread's own, or the one that is off."""
    return RunningClock() if running else OFF


def add(total: dict[str, float], seconds: Mapping[str, float]) -> None:
    """Adds the seconds of each stage to those of the same stage."""
    for stage, more in seconds.items():
        total[stage] = total.get(stage, 0.0) + more


def table(title: str, seconds: Mapping[str, float], pictures: int) -> str:
    """Gives a table of the stages in the order in which they first ended.

    Args:
        title: Whose stages they are.
        seconds: Seconds of each stage.
        pictures: How many pictures they were spent on.
    """
    total = sum(seconds.values())
    lines = [f"{title:<34}{'seconds':>9}{'share':>9}{'ms a picture':>15}"]
    for stage, spent in (*seconds.items(), ("total", total)):
        share = spent / (total or 1)
        lines.append(f"  {stage:<32}{spent:>9.3f}{share:>9.1%}{1000 * spent / pictures:>15.3f}")
    return "\n".join(lines)
