"""Many pictures over several threads, verdicts in the order of the pictures.

Decoding, searching and judging all happen in libraries that let other threads run meanwhile. Only
a few pictures are on the way at a time, so memory does not grow with the folder.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from image_gender_classifier.verdict import Verdict

_PICTURES_AHEAD = 4  # for each thread


class Judge(Protocol):
    """What judges one picture at a time."""

    def judge(self, picture: Path, file: str) -> Verdict:
        """Judges a picture file."""
        ...


def run(
    files: Iterable[str], folder: Path, judges: Sequence[Judge]
) -> Generator[Verdict, None, None]:
    """Judges pictures, as many at a time as there are judges.

    Args:
        files: The pictures' paths below the folder.
        folder: The folder.
        judges: One for each thread.

    Yields:
        A verdict a picture, in the order of the pictures.
    """
    idle: SimpleQueue[Judge] = SimpleQueue()
    for judge in judges:
        idle.put(judge)

    def work(file: str) -> Verdict:
        judge = idle.get()
        try:
            return judge.judge(folder / file, file)
        finally:
            idle.put(judge)

    waiting: deque[Future[Verdict]] = deque()
    pool = ThreadPoolExecutor(len(judges))
    try:
        for file in files:
            waiting.append(pool.submit(work, file))
            if len(waiting) >= len(judges) * _PICTURES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
