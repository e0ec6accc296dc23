"""Counts the instructions of marked parts of a Python program with valgrind.

Each call of `getppid` makes callgrind write down what was executed since the last one; the
programs counted here call it before and behind a step, and Python itself never does.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import CannotMeasure

MARK = "getppid"
_TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


def parse_total(text: str) -> int:
    """Gives the instructions that a file of callgrind's counts in all.

    Raises:
        ValueError: It is no such file.
    """
    found = _TOTALS.search(text)
    if found is None:
        raise ValueError("no totals")
    return int(found[1])


def count(
    program: Path, folder: Path, pictures: Sequence[Path], python: str | Path = sys.executable
) -> dict[str, int]:
    """Runs `program count PICTURE...`, which prints a name for each marked part.

    Args:
        program: It calls the mark before and behind each part, and at no other time.
        folder: A new folder for what callgrind writes.
        pictures: What the program is told.
        python: Whose interpreter runs it.

    Returns:
        From the parts' names, in their order, to instructions.

    Raises:
        CannotMeasure: Valgrind cannot run it.
    """
    folder.mkdir()
    done = subprocess.run(
        [
            *("valgrind", "--tool=callgrind", "--quiet", f"--dump-before={MARK}"),
            f"--callgrind-out-file={folder / 'dump'}",
            *(str(python), str(program), "count", *map(str, pictures)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    names = done.stdout.splitlines()
    if done.returncode != 0 or not names:
        last = done.stderr.strip().splitlines()[-1:]
        raise CannotMeasure(f"valgrind ended with {done.returncode}: {''.join(last)}")
    # What comes before the first mark, and between two steps, has the odd numbers.
    dumps = [folder / f"dump.{2 * i + 2}" for i in range(len(names))]
    totals = [parse_total(dump.read_text("utf-8", "replace")) for dump in dumps]
    return dict(zip(names, totals, strict=True))
