"""Many pictures over several workers, verdicts in the order of the pictures.

Workers are threads: decoding, searching and judging all happen in libraries that let other
threads run meanwhile. Only a few pictures are on the way at a time, so memory does not grow with
the folder.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.files import read_bytes
from image_gender_classifier.listing import PictureFile
from image_gender_classifier.verdict import Verdict

_PICTURES_AHEAD = 4  # for each worker


@dataclass(frozen=True, slots=True)
class Outcome:
    """A picture with its verdict.

    Attributes:
        picture: The picture.
        verdict: What is said of it.
        kept: Whether the verdict is an earlier run's that still holds.
    """

    picture: PictureFile
    verdict: Verdict
    kept: bool


Earlier = Callable[[PictureFile, str], Verdict | None]
"""From a picture and its `run` to an earlier run's verdict that still holds, or None."""


class Judge(Protocol):
    """What judges one picture at a time."""

    def judge_data(self, data: bytes, file: str) -> Verdict:
        """Judges a picture file's bytes."""
        ...

    def run_of(self, data: bytes) -> str:
        """The `run` attribute that a picture of these bytes gets."""
        ...

    def unreadable(self, file: str, message: str) -> Verdict:
        """The verdict on a picture whose bytes cannot be had."""
        ...


def run(
    pictures: Sequence[PictureFile],
    folder: Path,
    judges: Sequence[Judge],
    earlier: Earlier | None = None,
) -> Generator[Outcome, None, None]:
    """Judges pictures, as many at a time as there are judges.

    Args:
        pictures: What to judge.
        folder: The folder that their paths are below.
        judges: One for each worker.
        earlier: Where verdicts of an earlier run come from; none by default.

    Yields:
        An outcome a picture, in the order of the pictures.
    """
    idle: SimpleQueue[Judge] = SimpleQueue()
    for judge in judges:
        idle.put(judge)

    def work(picture: PictureFile) -> Outcome:
        judge = idle.get()
        try:
            return _outcome(picture, folder, judge, earlier)
        finally:
            idle.put(judge)

    waiting: deque[Future[Outcome]] = deque()
    pool = ThreadPoolExecutor(len(judges))
    try:
        for picture in pictures:
            waiting.append(pool.submit(work, picture))
            if len(waiting) >= len(judges) * _PICTURES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _outcome(picture: PictureFile, folder: Path, judge: Judge, earlier: Earlier | None) -> Outcome:
    try:
        data = read_bytes(folder / picture.file)
    except UnreadablePicture as error:
        verdict = judge.unreadable(picture.file, str(error))
        kept = earlier is not None and earlier(picture, verdict.run) is not None
        return Outcome(picture, verdict, kept)
    if earlier is not None:
        known = earlier(picture, judge.run_of(data))
        if known is not None:
            return Outcome(picture, known, kept=True)
    return Outcome(picture, judge.judge_data(data, picture.file), kept=False)
