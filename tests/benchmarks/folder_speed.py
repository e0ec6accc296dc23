"""The whole command on large pictures against a loop that only decodes them.

Any program that decodes at full size, as nearly every one does, is at most as fast as that loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, at_least, median_ratio
from benchmarks.pictures import enlarge, linked
from benchmarks.processes import ask
from benchmarks.setting import Setting, cores

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Size:
    """One size of pictures.

    Attributes:
        side: Longest side in pixels.
        different: How many different pictures there are, which is what the loop decodes.
        judged: How many the command judges: more, so that its start counts as in a real folder.
        target: How many times the loop's pictures per second the command should reach.
    """

    side: int
    different: int
    classified: int
    target: float


_SIZES = (_Size(1500, 100, 1000, 2.2), _Size(4000, 24, 360, 8.0))


def measure(setting: Setting) -> Iterator[Figure]:
    """Measures both sizes."""
    for size in _SIZES:
        yield from _measure(setting, size)


def _measure(setting: Setting, size: _Size) -> Iterator[Figure]:
    place = setting.work / f"speed-{size.side}"
    sources = setting.portraits[: setting.times(size.different, fewest=2)]
    pictures = enlarge(sources, size.side, place / "different")
    classified = setting.times(size.classified, fewest=len(pictures))
    folder = linked(pictures, classified, place / "judged")
    ours, loop, ours_cpu, loop_cpu = [], [], [], []
    setting.classify(place / "different")
    for _ in range(_ROUNDS):
        threads, cpu = _decoded(place / "different", "threads")
        processes, _ = _decoded(place / "different", "processes")
        loop.append(max(threads, processes))
        loop_cpu.append(cpu)
        run = setting.classify(folder)
        ours.append(classified / run.wall)
        ours_cpu.append(run.cpu / classified)
    pixels = f"{size.side:,} pixels"
    yield Figure(
        f"whole command against decoding alone, {pixels}",
        median_ratio(ours, loop),
        "x",
        at_least(size.target),
    )
    name = f"processor time of decoding alone against the whole command, {pixels}"
    yield Figure(name, median_ratio(loop_cpu, ours_cpu), "x", note="steadier on a busy machine")
    yield Figure(f"whole command, {pixels}", median(ours), "pictures/s")
    yield Figure(f"decoding alone, {pixels}", median(loop), "pictures/s")


def _decoded(folder: Path, how: str) -> tuple[float, float]:
    """Pictures per second of the loop on all cores, without its start, and processor time each."""
    seconds, cpu, count = ask("decode_loop", folder, how, cores())
    return count / seconds, cpu / count
