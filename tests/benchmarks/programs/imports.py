"""The package's own imports and their processor time, without NumPy, OpenCV and LiteRT.

`imports list command OPTION...` runs the command and prints the modules that it loads after the
libraries; `imports list worker PICTURE` does so for a worker. `imports time MODULE...` imports the
libraries, then these modules, and prints the seconds of the latter.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in a worker; idle threads would be measured too
_LIBRARIES = ("numpy", "cv2", "ai_edge_litert.interpreter")


def import_all(names: Sequence[str]) -> None:
    """Imports modules in order."""
    for name in names:
        importlib.import_module(name)


def list_modules(who: str, options: Sequence[str]) -> list[str]:
    """Returns the modules that the command or a worker loads, in order."""
    import_all(_LIBRARIES)
    before = set(sys.modules)
    if who == "command":
        from image_gender_classifier.cli import program

        with redirect_stdout(sys.stderr):
            program.main(options)
    else:
        from image_gender_classifier.settings import Settings
        from image_gender_classifier.system.profiling import OFF
        from image_gender_classifier.workers import classifying
        from image_gender_classifier.workers.channel import encode
        from image_gender_classifier.workers.messages import Job, Task

        (picture,) = options
        task = Task(Settings(), 1)
        loaded = classifying.load(task, OFF)
        encode(loaded.ready)
        encode(loaded.answer(Job(0, picture, picture, task.timeout)))
    return [name for name in sys.modules if name not in before]


def time_imports(names: Sequence[str]) -> float:
    """Returns the processor seconds of importing modules after the libraries."""
    import_all(_LIBRARIES)
    started = time.process_time()
    import_all(names)
    return time.process_time() - started


if __name__ == "__main__":
    how, *words = sys.argv[1:]
    result = list_modules(words[0], words[1:]) if how == "list" else time_imports(words)
    json.dump(result, sys.stdout)
