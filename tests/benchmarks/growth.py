"""Processor time per picture in small and large folders, and the time of `--resume`."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure, at_most
from benchmarks.pictures import enlarge, linked
from benchmarks.setting import Setting, classify_into

_FEW = 100  # different pictures; every folder repeats them
_SIDE = 64  # pixels: small, so that the cost of everything but the picture shows
_REPEATS = 9
_RESUMED = 100_000


def measure(setting: Setting) -> Iterator[Figure]:
    """Classifies folders of 1, 100 and many pictures, then resumes the largest."""
    work = setting.work / "growth"
    pictures = enlarge(setting.portraits[:_FEW], _SIDE, work / "different")
    one, few, many = (linked(pictures, n, work / str(n)) for n in (1, _FEW, setting.many))
    repeats = setting.times(_REPEATS, fewest=3)
    pairs = [(setting.classify(one), setting.classify(few)) for _ in range(repeats)]
    start = median(first.cpu for first, _ in pairs)
    few_cpu = median(second.cpu - first.cpu for first, second in pairs) / (_FEW - 1)
    out = setting.output()
    many_cpu = (classify_into(out, many).cpu - start) / (setting.many - 1)
    name = f"processor time per picture, folder of {setting.many:,} against {_FEW}"
    yield Figure(name, many_cpu / few_cpu, "x", at_most(1.1), "without the start")
    yield Figure(f"processor time, folder of {setting.many:,}", 1000 * many_cpu, "ms/picture")
    resumed = classify_into(out, many, "--resume").wall
    start_wall = median(first.wall for first, _ in pairs)
    scaled = start_wall + max(resumed - start_wall, 0) * _RESUMED / setting.many
    note = f"scaled from {resumed:.2f} s for {setting.many:,}"
    yield Figure(f"--resume over {_RESUMED:,} finished", scaled, "s", at_most(5), note)
