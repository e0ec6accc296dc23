"""Peak memory over a large folder, and over one huge JPEG."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import pss
from benchmarks.figures import Figure, at_most, skipped
from benchmarks.pictures import linked, stretch
from benchmarks.setting import Setting

_RUNTIMES = (("tflite", "LiteRT", 100), ("onnx", "ONNX Runtime", 120))
_EVERY = 0.02  # seconds between two samples of a long run
_OFTEN = 0.004  # of a run over one picture


def measure(setting: Setting) -> Iterator[Figure]:
    """Samples the PSS of the command and its workers."""
    if not pss.is_available():
        yield skipped("peak memory", "this system has no /proc/self/smaps_rollup")
        return
    folder = linked(setting.portraits, setting.crowd, setting.work / "crowd")
    for runtime, name, limit in _RUNTIMES:
        run = setting.classify(folder, "--workers", 2, "--runtime", runtime, sample_every=_EVERY)
        what = f"peak memory, {setting.crowd:,} pictures, 2 workers, {name}"
        note = f"resident at most {run.resident:.0f} MB"
        yield Figure(what, run.peak, "MB", at_most(limit), note)
    # Progressive JPEGs of more than 2^26 pixels are refused.
    for progressive, width, height in ((False, 12_000, 9_000), (True, 9_000, 7_400)):
        kind = "progressive JPEG" if progressive else "JPEG"
        stretch(setting.portraits[0], width, height, setting.work / kind, progressive)
        run = setting.classify(setting.work / kind, "--workers", 1, sample_every=_OFTEN)
        what = f"one {kind} of {width:,} x {height:,}"
        target = None if progressive else at_most(150)
        yield Figure(f"peak memory, {what}", run.peak, "MB", target)
        yield Figure(f"{what}, whole process", run.wall, "s")
