"""Many pictures over several threads, verdicts in the order of the pictures.

Decoding, searching and judging all happen in libraries that let other threads run meanwhile. Only
a few pictures are on the way at a time, so memory does not grow with the folder.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from image_gender_classifier.results import Prediction

_PICTURES_AHEAD = 4  # for each thread

PictureClassifier = Callable[[Path, str], Prediction]
"""Judges a picture file, given its path and what the verdict calls it; safe for threads."""


def run(
    files: Iterable[str], folder: Path, classify: PictureClassifier, threads: int
) -> Generator[Prediction, None, None]:
    """Judges pictures.

    Args:
        files: The pictures' paths below the folder.
        folder: The folder.
        classify: Classifies one of them.
        threads: How many of them at a time.

    Yields:
        A verdict a picture, in the order of the pictures.
    """
    waiting: deque[Future[Prediction]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for file in files:
            waiting.append(pool.submit(classify, folder / file, file))
            if len(waiting) >= threads * _PICTURES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
