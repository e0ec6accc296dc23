"""What the command imports beyond NumPy, OpenCV and the runtime, and how long that takes.

`imports list OPTION...` runs the command with these options and prints as JSON the modules that
it loads beyond the libraries' own; with `--help` or `--version` the libraries are left out of it.
`imports time MODULE...` imports the libraries, then these modules, and prints the seconds of
processor time of both.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from contextlib import redirect_stdout, suppress

_LIBRARIES = ("numpy", "cv2", "ai_edge_litert.interpreter")
_ANSWERED_AT_ONCE = frozenset(("--help", "--version"))


def import_libraries() -> None:
    """Imports what the command cannot do without."""
    for name in _LIBRARIES:
        importlib.import_module(name)


def list_modules(options: list[str]) -> list[str]:
    """Names the modules that the command loads, in the order in which it does."""
    if not _ANSWERED_AT_ONCE.intersection(options):
        import_libraries()
    before = set(sys.modules)
    from image_gender_classifier import cli

    with redirect_stdout(sys.stderr), suppress(SystemExit):
        cli.main(options)
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
