"""How soon the command is there: one picture, its own imports, `--help` and `--version`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from benchmarks.figures import Figure, at_most
from benchmarks.pictures import linked
from benchmarks.processes import Run, ask, run
from benchmarks.setting import Setting, command, program

_REPEATS = 15


def measure(setting: Setting) -> Iterator[Figure]:
    """Measures whole processes with everything in the disk's cache."""
    repeats = setting.times(_REPEATS, fewest=3)
    folder = linked(setting.portraits[:1], 1, setting.work / "one")
    yield from _process("one picture", repeats, 0.30, lambda: setting.classify(folder))
    yield from _imports(setting, repeats)
    for option in ("--help", "--version"):
        yield from _process(option, repeats, 0.10, partial(run, [program(), option]))


def _imports(setting: Setting, repeats: int) -> Iterator[Figure]:
    folder = setting.work / "one"
    arguments = [str(word) for word in command(folder, setting.output())[1:]]
    of_command = ask("imports", "list", "command", *arguments)
    # What judges is forked from the command, so it has all that the command has imported.
    of_judge = ask("imports", "list", "judge", *folder.iterdir())
    of_both = [*of_command, *(name for name in of_judge if name not in of_command)]
    for who, modules, target in (
        ("the command", of_command, None),
        ("the command and the process that judges", of_both, at_most(0.02)),
    ):
        timed = [ask("imports", "time", *modules) for _ in range(repeats)]
        libraries, own = zip(*timed, strict=True)
        name = f"own imports of {who}, over those of the libraries"
        yield Figure(name, median(own), "s", target)
    yield Figure("imports of NumPy, OpenCV and the runtime", median(libraries), "s")
    for option in ("--help", "--version"):
        loaded = ask("imports", "list", "command", option)
        heavy = [name for name in loaded if name.partition(".")[0] in ("numpy", "cv2")]
        yield Figure(f"modules of NumPy and OpenCV that {option} loads", len(heavy), "", at_most(0))


def _process(what: str, repeats: int, limit: float, start: Callable[[], Run]) -> Iterator[Figure]:
    start()  # into the disk's cache
    runs = [start() for _ in range(repeats)]
    wall, cpu = median(run.wall for run in runs), median(run.cpu for run in runs)
    yield Figure(f"{what}, whole process", wall, "s", at_most(limit))
    yield Figure(f"{what}, processor time", cpu, "s")
