"""The command of `make pi-bundle`.

Exits with 0 after success, 1 if a download or build fails, 2 for wrong usage, and 77 if this
machine cannot download the packages of the system.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bundle.archive import make
from bundle.processes import CannotRun, Failed
from bundle.systems import BOARDS, default_cache
from bundle.wheels import Wheels

_SKIPPED = 77


def main() -> int:
    """Writes a bundle; returns the exit code."""
    options = _parse()
    (system,) = (board for board in BOARDS if board.name == options.system)
    for folder in (options.cache, options.out):
        folder.mkdir(parents=True, exist_ok=True)
    cache = options.cache.resolve()
    with tempfile.TemporaryDirectory(prefix="pi-bundle-", dir=options.out) as folder:
        work = Path(folder).resolve()
        try:
            wheels = Wheels(cache)
            archive = make(system, wheels, wheels.build(work), cache, work)
            written = Path(shutil.move(archive, options.out / archive.name))
        except CannotRun as reason:
            print(f"pi-bundle: not possible on this machine: {reason}", file=sys.stderr)
            return _SKIPPED
        except (Failed, OSError) as failure:
            print(f"pi-bundle: {failure}", file=sys.stderr)
            return 1
    print(f"{written}: {written.stat().st_size / 1e6:.0f} MB for {system.name}")
    return 0


def _parse() -> argparse.Namespace:
    names = [board.name for board in BOARDS]
    parser = argparse.ArgumentParser(prog="make pi-bundle", allow_abbrev=False)
    add = parser.add_argument
    add(
        "--system", choices=names, default=names[0],
        help="the board's system (default: %(default)s)",
    )  # fmt: skip
    add(
        "--out", type=Path, default=Path("dist"), metavar="DIR",
        help="folder for the archive (default: %(default)s)",
    )  # fmt: skip
    add(
        "--cache", type=Path, default=default_cache(), metavar="DIR",
        help="folder that keeps downloads (default: %(default)s)",
    )  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
