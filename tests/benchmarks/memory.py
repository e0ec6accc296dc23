"""The most memory that a run holds: in a large folder, and at one huge picture."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import pss
from benchmarks.figures import Figure, at_most, skipped
from benchmarks.pictures import linked, stretch
from benchmarks.processes import Run
from benchmarks.setting import Setting

_RUNTIMES = (("tflite", "LiteRT", 100), ("onnx", "ONNX Runtime", 120))
_SEVERAL = 0.02  # seconds between two looks at a run of seconds
_ONE = 0.004  # at a run of one picture


def measure(setting: Setting) -> Iterator[Figure]:
    """Samples the proportional set size of the command's processes."""
    if not pss.can_be_measured():
        yield skipped("peak memory", "this system does not tell it (no smaps_rollup in /proc)")
        return
    folder = linked(setting.portraits, setting.crowd, setting.work / "crowd")
    for runtime, name, limit in _RUNTIMES:
        run = setting.classify(folder, "--workers", 2, "--runtime", runtime, sample_every=_SEVERAL)
        what = f"peak memory, {setting.crowd:,} pictures, 2 workers, {name}"
        yield Figure(what, run.peak, "MB", at_most(limit), _resident(run))
    # A progressive JPEG of more than 2^26 pixels is refused.
    for progressive, width, height in ((False, 12_000, 9_000), (True, 9_000, 7_400)):
        kind = "progressive JPEG" if progressive else "JPEG"
        place = setting.work / kind
        stretch(setting.portraits[0], width, height, place, progressive)
        run = setting.classify(place, "--workers", 1, sample_every=_ONE)
        what = f"one {kind} of {width:,} x {height:,}"
        target = None if progressive else at_most(150)
        yield Figure(f"peak memory, {what}", run.peak, "MB", target, _resident(run))
        yield Figure(f"{what}, whole process", run.wall, "s")


def _resident(run: Run) -> str:
    """Shared pages counted whole, and never between two samples: what the peak cannot exceed."""
    return f"resident at most {run.resident:.0f} MB"
