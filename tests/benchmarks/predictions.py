"""Whether decoding at a reduced size changes predictions."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, at_least
from benchmarks.processes import ask
from benchmarks.setting import Setting, cores

_SIDE = 1500
_PORTRAITS = 2000


def measure(setting: Setting) -> Iterator[Figure]:
    """Classifies enlarged portraits decoded at a reduced and at full size."""
    portraits = setting.portraits[: setting.times(_PORTRAITS)]
    count, same = ask("predictions", _SIDE, cores(), *portraits)
    name = f"same predictions as with full-size decoding, {_SIDE:,} pixels"
    yield Figure(name, 100 * same / count, "%", at_least(99.5), f"{same:,} of {count:,}")
