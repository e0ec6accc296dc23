"""Start-up: one picture, `--help`, `--version`, and the package's own imports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from benchmarks.figures import Figure, at_most
from benchmarks.pictures import linked
from benchmarks.processes import Run, ask, run
from benchmarks.setting import COMMAND, Setting, arguments

_REPEATS = 15


def measure(setting: Setting) -> Iterator[Figure]:
    """Measures whole processes whose files are in the page cache."""
    repeats = setting.times(_REPEATS, fewest=3)
    folder = linked(setting.portraits[:1], 1, setting.work / "one")
    yield _process("one picture", repeats, 0.30, partial(setting.classify, folder))
    for option in ("--help", "--version"):
        yield _process(option, repeats, 0.10, partial(run, [COMMAND, option]))
    command = ask("imports", "list", "command", *arguments(folder, setting.output()))
    # A worker is forked from the command, so it already has the command's imports.
    worker = ask("imports", "list", "worker", *folder.iterdir())
    for who, modules, target in (
        ("the command", command, None),
        ("the command and its worker", list(dict.fromkeys(command + worker)), at_most(0.02)),
    ):
        own = median(ask("imports", "time", *modules) for _ in range(repeats))
        yield Figure(f"own imports of {who}, after those of the libraries", own, "s", target)


def _process(what: str, repeats: int, limit: float, start: Callable[[], Run]) -> Figure:
    start()  # fills the page cache
    wall = median(start().wall for _ in range(repeats))
    return Figure(f"{what}, whole process", wall, "s", at_most(limit))
