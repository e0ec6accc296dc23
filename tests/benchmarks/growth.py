"""Whether a picture costs the same in a folder of a hundred and of a hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure, at_most
from benchmarks.pictures import enlarge, linked
from benchmarks.setting import Setting, classify_into

_DIFFERENT = 100  # pictures; every folder has these over and over, so that all cost the same
_SIDE = 64  # pixels: what is not the picture's own cost should show
_FEW_REPEATS = 9
_RESUMED = 100_000


def measure(setting: Setting) -> Iterator[Figure]:
    """Measures a folder of one, of a hundred and of many pictures, then resumes the last."""
    place = setting.work / "growth"
    sources = setting.portraits[:_DIFFERENT]
    pictures = enlarge(sources, _SIDE, place / "different")
    one, few, many = (
        linked(pictures, count, place / str(count)) for count in (1, _DIFFERENT, setting.many)
    )
    repeats = setting.times(_FEW_REPEATS, fewest=3)
    pairs = [(setting.classify(one), setting.classify(few)) for _ in range(repeats)]
    start_cpu = median(first.cpu for first, _ in pairs)
    start_wall = median(first.wall for first, _ in pairs)
    few_cpu = median(second.cpu - first.cpu for first, second in pairs) / (_DIFFERENT - 1)
    out = setting.output()
    run = classify_into(out, many)
    resumed = classify_into(out, many, "--resume")
    many_cpu = (run.cpu - start_cpu) / (setting.many - 1)
    name = f"processor time a picture, folder of {setting.many:,} against {_DIFFERENT}"
    yield Figure(name, many_cpu / few_cpu, "x", at_most(1.1), "without the start")
    yield Figure(f"processor time, folder of {_DIFFERENT}", 1000 * few_cpu, "ms/picture")
    yield Figure(f"processor time, folder of {setting.many:,}", 1000 * many_cpu, "ms/picture")
    # The start counts once, whatever the folder; with a folder of 100,000 this is what it took.
    times = _RESUMED / setting.many
    wall = start_wall + (resumed.wall - start_wall) * times
    cpu = start_cpu + (resumed.cpu - start_cpu) * times
    name = f"--resume over {_RESUMED:,} finished"
    note = f"measured {resumed.wall:.2f} s with {setting.many:,}"
    yield Figure(name, wall, "s", at_most(5), note)
    yield Figure(f"{name}, processor time", cpu, "s")
