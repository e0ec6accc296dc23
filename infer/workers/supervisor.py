"""Runs the classifier in worker processes and replaces workers that crash or hang.

Every picture gets one `Outcome`, in order. Its `prediction` is None only after an internal error:
then `error` says which in one line, and no XML file is written for the picture.

When a worker crashes or hangs, the pictures that it had not answered for are tried again one at a
time, with nothing else under way. The one that crashes a worker again is `unreadable`. One that
takes too long again, or whose worker is killed from outside again, has an internal error: the
machine may be slow or have too little memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier import errors
from image_gender_classifier.errors import GenderClassifierError, RuntimeMissing
from image_gender_classifier.manifest.cache_key import unreadable
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.system import logs, profiling
from image_gender_classifier.workers.messages import (
    Answer,
    ForkFailed,
    Job,
    Message,
    Ready,
    Task,
    Unusable,
)
from image_gender_classifier.workers.pool import Lost, WorkerPool

_AHEAD = 16  # pictures under way for each worker, including those that wait for an earlier one
_FALSE_STARTS = 2
_SHUTDOWN_TIMEOUT = 1.0  # seconds
# How many times longer than any other on this machine a picture may take.
_PATIENCE = 20.0


class Outcome(NamedTuple):
    """What became of a picture.

    Attributes:
        picture: The picture.
        prediction: The prediction, or None after an internal error.
        kept: Whether it comes from an earlier run and still holds.
        drawings: The copies drawn of the picture.
        error: The internal error in one line, or None.
        unfinished: Whether the error is that of a worker which took too long or was killed.
    """

    picture: PictureFile
    prediction: Prediction | None
    kept: bool = False
    drawings: Drawings = NO_DRAWINGS
    error: str | None = None
    unfinished: bool = False


Known = Callable[[PictureFile], Outcome | None]
"""The outcome of a picture that an earlier run has classified, or None."""


class _Place:
    """A picture under way; its outcome is None until it is known."""

    def __init__(self, number: int, picture: PictureFile, outcome: Outcome | None) -> None:
        self.number = number
        self.picture = picture
        self.outcome = outcome


class Supervisor:
    """The worker pool and the pictures under way.

    Args:
        task: The settings and the number of workers.
        warn: Receives warnings for the user.
        fork: See `FirstProcess`.
    """

    def __init__(
        self,
        task: Task,
        warn: Callable[[str], None] = lambda _: None,
        fork: bool = True,
    ) -> None:
        self._task = task
        self._warn = warn
        self._fork = fork
        self._pool = WorkerPool(task, fork)
        self._cache_key: str | None = None
        self._false_starts = 0
        self._row: deque[_Place] = deque()  # in order, from the first without an outcome
        self._waiting: deque[_Place] = deque()  # not given to a worker yet
        self._suspects: set[int] = set()  # pictures of lost workers
        self._seconds: dict[str, float] = {}
        self._slowest = 0.0  # seconds for a picture

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._pool.end(0 if error or self._row else _SHUTDOWN_TIMEOUT)

    def limit(self, pictures: int) -> None:
        """Starts no more workers than there are pictures; for a call before the first picture."""
        self._task = self._task._replace(workers=max(min(self._task.workers, pictures), 1))

    @property
    def settings(self) -> str:
        """The key of everything but the picture that a prediction depends on; waits for it.

        Raises:
            GenderClassifierError: No picture can be classified.
        """
        while self._cache_key is None:
            self._listen()
        return self._cache_key

    @property
    def seconds(self) -> Mapping[str, float]:
        """The seconds of each stage so far, of all workers together."""
        return self._seconds

    def classify(
        self, pictures: Iterable[PictureFile], folder: Path, known: Known | None = None
    ) -> Generator[Outcome, None, None]:
        """Classifies pictures.

        Args:
            pictures: The pictures.
            folder: The folder that their paths are below.
            known: Gives the outcome of those that need not be classified.

        Yields:
            An outcome a picture, in order.

        Raises:
            GenderClassifierError: No picture can be classified.
        """
        for number, picture in enumerate(pictures):
            place = _Place(number, picture, known(picture) if known else None)
            self._row.append(place)
            if place.outcome is None:
                self._waiting.append(place)
                self._give(folder)
            while self._row and self._row[0].outcome is not None:
                yield self._first(folder)
            if len(self._row) >= self._task.workers * _AHEAD:
                yield self._first(folder)
        while self._row:
            yield self._first(folder)

    @property
    def _longest(self) -> float:
        """How many seconds a picture may take on this machine."""
        return max(self._task.longest, _PATIENCE * self._slowest)

    def _first(self, folder: Path) -> Outcome:
        while (outcome := self._row[0].outcome) is None:
            self._listen()
            self._give(folder)
        self._row.popleft()
        return outcome

    def _give(self, folder: Path) -> None:
        """Gives the workers as much as they may have."""
        while self._waiting and not (self._suspects and self._pool.on_hand):
            place = self._waiting[0]
            path = f"{folder}/{place.picture.file}"  # joining path objects takes longer
            if not self._pool.give(Job(place.number, path, place.picture.file, self._longest)):
                break
            self._waiting.popleft()

    def _listen(self) -> None:
        """Waits for the workers, and acts on their messages."""
        for event in self._pool.listen(self._longest):
            if isinstance(event, Lost):
                self._lost(event)
            else:
                self._take(event)
        if self._pool.ended:
            self._pool = WorkerPool(self._task, self._fork)

    def _take(self, message: Message) -> None:
        if isinstance(message, Answer):
            picture = self._place(message.number).picture
            error = f"internal error ({message.error})" if message.error else None
            self._slowest = max(self._slowest, message.took)
            outcome = Outcome(picture, message.prediction, False, message.drawings, error)
            self._settle(message.number, outcome)
            profiling.add(self._seconds, message.seconds)
        elif isinstance(message, Ready):
            self._cache_key = message.cache_key
            logs.info("worker ready: %s", message.model)
            profiling.add(self._seconds, message.seconds)
            for warning in message.warnings:
                self._warn(warning)
            self._pool.start(self._task.workers)
        elif isinstance(message, ForkFailed):
            self._warn_of_fewer(max(self._pool.size, 1), message.why)
            if self._pool.size == 0:
                self._start_one()
        elif isinstance(message, Unusable):
            kind = getattr(errors, message.error, GenderClassifierError)
            raise kind(message.text)

    def _place(self, number: int) -> _Place:
        return self._row[number - self._row[0].number]

    def _settle(self, number: int, outcome: Outcome) -> None:
        self._place(number).outcome = outcome
        self._suspects.discard(number)
        self._false_starts = 0

    def _lost(self, lost: Lost) -> None:
        """Has the pictures of a lost worker tried again, or knows the culprit."""
        if lost.numbers and lost.at_work and lost.numbers[0] in self._suspects:
            (number,) = lost.numbers  # one at a time
            picture = self._place(number).picture
            self._settle(number, self._lost_outcome(picture, lost))
            return
        self._waiting.extendleft(self._place(number) for number in reversed(lost.numbers))
        if lost.numbers and lost.at_work:
            self._suspects.update(lost.numbers)
        elif lost.why:
            self._count_false_start(lost)

    def _count_false_start(self, lost: Lost) -> None:
        """Goes on with a single worker if forked ones do not start.

        Raises:
            RuntimeMissing: The libraries cannot be loaded, or workers end again and again.
        """
        self._false_starts += 1
        if self._cache_key is None or self._false_starts > _FALSE_STARTS:
            raise RuntimeMissing(
                f"the libraries cannot be used here: the worker process {lost.why}; try another "
                "--runtime, or install the package again; a PC from before 2009 needs NumPy 1 and "
                "tflite-runtime (README, What runs where)"
            )
        if lost.numbers and self._task.workers > 1:
            self._warn_of_fewer(1, "a forked one does not start")
            self._start_one()

    def _start_one(self) -> None:
        """Starts again with a single worker, which needs no fork."""
        self._pool.end()
        self._task = self._task._replace(workers=1)
        self._waiting = deque(place for place in self._row if place.outcome is None)

    def _warn_of_fewer(self, workers: int, why: str) -> None:
        self._warn(f"only {workers} of {self._task.workers} workers could start ({why})")

    def _lost_outcome(self, picture: PictureFile, lost: Lost) -> Outcome:
        if lost.hung:
            error = f"no result within {self._longest:.0f} s"
            return Outcome(picture, None, error=error, unfinished=True)
        why = f"the worker process {lost.why}"
        if lost.killed:
            return Outcome(picture, None, error=why, unfinished=True)
        message = f"{why}; the file is corrupt or hostile: save it again in another program"
        return Outcome(picture, unreadable(picture.file, message, self.settings))
