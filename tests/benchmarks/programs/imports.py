"""What the command imports beyond NumPy, OpenCV and the runtime, and how long that takes.

`imports list command OPTION...` runs the command with these options and prints as JSON the modules
that it loads beyond the libraries' own; with `--help` or `--version` the libraries are left out of
it. `imports list judge PICTURE` does so for the process that judges. `imports time MODULE...`
imports the libraries, then these modules, and prints the seconds of processor time of both.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from contextlib import redirect_stdout, suppress

# As the process that judges has it; idle threads of NumPy's would be measured too.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
_LIBRARIES = ("numpy", "cv2", "ai_edge_litert.interpreter")
_ANSWERED_AT_ONCE = frozenset(("--help", "--version"))


def import_libraries() -> None:
    """Imports what the command cannot do without."""
    for name in _LIBRARIES:
        importlib.import_module(name)


def list_modules(arguments: list[str]) -> list[str]:
    """Names the modules that the command or the other process loads, in the order of loading."""
    who, *options = arguments
    return _of_command(options) if who == "command" else _of_judge(*options)


def _of_judge(picture: str) -> list[str]:
    import_libraries()
    before = set(sys.modules)
    from image_gender_classifier.settings import Settings
    from image_gender_classifier.workers import worker
    from image_gender_classifier.workers.messages import Job, Task, encode

    encode(worker.PictureClassifier(Task(Settings(), 1)).classified(Job(0, picture, picture)))
    return [name for name in sys.modules if name not in before]


def _of_command(options: list[str]) -> list[str]:
    if not _ANSWERED_AT_ONCE.intersection(options):
        import_libraries()
    before = set(sys.modules)
    from image_gender_classifier.cli import program

    with redirect_stdout(sys.stderr), suppress(SystemExit):
        program.main(options)
    return [name for name in sys.modules if name not in before]


def time_imports(names: list[str]) -> tuple[float, float]:
    """Processor time of the libraries and of the modules beyond them, in seconds."""
    started = time.process_time()
    import_libraries()
    libraries = time.process_time()
    for name in names:
        importlib.import_module(name)
    return libraries - started, time.process_time() - libraries


if __name__ == "__main__":
    answer = list_modules if sys.argv[1] == "list" else time_imports
    json.dump(answer(sys.argv[2:]), sys.stdout)
