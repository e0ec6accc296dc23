"""Runs the classifier in worker processes and replaces workers that crash or hang.

Every picture gets one `Outcome`, in order. Its `prediction` is None only after an internal error:
then `error` is the reason in one line, and no XML file is written for the picture.

When a worker crashes or hangs, its unanswered pictures are tried again one at a time, while the
other workers are idle. A picture that crashes a worker again is `unreadable`. It is an internal
error if an exception that is not about the picture ended the worker, if the picture takes too long
again, or if the worker is killed from outside again: the machine may be slow or have too little
memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from image_gender_classifier import errors
from image_gender_classifier.errors import GenderClassifierError, RuntimeMissing
from image_gender_classifier.manifest.cache_key import unreadable
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

if TYPE_CHECKING:  # slow to import
    from image_gender_classifier.outputs.naming import PictureFile

_MAX_UNFINISHED = 16  # pictures per worker, including those that wait for an earlier one
_MAX_FAILED_STARTS = 2
_SHUTDOWN_TIMEOUT = 1.0  # seconds
_MAX_SLOWDOWN = 20.0  # a picture may take so many times longer than any other on this machine
_MAX_EXTENSION = 10.0  # times the usual limit, whatever the machine or a hostile worker reports


class Outcome(NamedTuple):
    """The result of a picture.

    Attributes:
        picture: The picture.
        prediction: The prediction; None after an internal error.
        kept: Whether the prediction comes from an earlier run and is still valid.
        drawings: Annotated copy and thumbnail of the picture, where the task asks for them.
        error: The internal error in one line; None if there is a prediction.
        unfinished: Whether the worker took too long or was killed, or memory was short.
    """

    picture: PictureFile
    prediction: Prediction | None
    kept: bool = False
    drawings: Drawings = NO_DRAWINGS
    error: str | None = None
    unfinished: bool = False


Known = Callable[["PictureFile"], Outcome | None]
"""Returns the outcome of a picture that an earlier run has classified; None for any other."""


class _Unfinished:
    """A picture whose outcome has not been returned yet; `outcome` is None until it is known."""

    def __init__(self, number: int, picture: PictureFile, outcome: Outcome | None) -> None:
        self.number = number
        self.picture = picture
        self.outcome = outcome


class Supervisor:
    """Classifies pictures in a worker pool and replaces the pool when all workers are lost.

    A context manager that ends the worker processes.

    Args:
        task: Settings and number of the workers.
        warn: Receives warnings for the user.
        fork: See `FirstProcess`.
    """

    def __init__(
        self, task: Task, warn: Callable[[str], None] = lambda _: None, fork: bool = True
    ) -> None:
        self._task = task
        self._warn = warn
        self._fork = fork
        self._pool = WorkerPool(task, fork)
        self._cache_key: str | None = None
        self._failed_starts = 0
        self._unfinished: deque[_Unfinished] = deque()  # in order
        self._waiting: deque[_Unfinished] = deque()  # not sent to a worker yet
        self._suspects: set[int] = set()  # pictures of lost workers
        self._seconds: dict[str, float] = {}
        self._slowest = 0.0  # seconds that the slowest picture took

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._pool.end(0 if error or self._unfinished else _SHUTDOWN_TIMEOUT)

    def limit(self, pictures: int) -> None:
        """Reduces the number of workers to that of the pictures; call it before `classify`."""
        self._task = self._task._replace(workers=max(min(self._task.workers, pictures), 1))

    @property
    def cache_key(self) -> str:
        """The cache key: a hash of everything except the picture that affects a prediction.

        Blocks until the first worker has loaded the models.

        Raises:
            GenderClassifierError: A library, model or setting cannot be used.
        """
        while self._cache_key is None:
            self._handle_events()
        return self._cache_key

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds spent in each stage so far, summed over all workers."""
        return self._seconds

    def classify(
        self, pictures: Iterable[PictureFile], folder: Path, known: Known | None = None
    ) -> Generator[Outcome, None, None]:
        """Classifies pictures.

        Args:
            pictures: The pictures.
            folder: Their paths are relative to it.
            known: Returns the outcome of a picture that need not be classified.

        Yields:
            One outcome per picture, in order.

        Raises:
            GenderClassifierError: A library, model or setting cannot be used.
        """
        for number, picture in enumerate(pictures):
            place = _Unfinished(number, picture, known(picture) if known else None)
            self._unfinished.append(place)
            if place.outcome is None:
                self._waiting.append(place)
                self._submit_jobs(folder)
            while self._unfinished and self._unfinished[0].outcome is not None:
                yield self._next_outcome(folder)
            if len(self._unfinished) >= self._task.workers * _MAX_UNFINISHED:
                yield self._next_outcome(folder)
        while self._unfinished:
            yield self._next_outcome(folder)

    @property
    def _picture_timeout(self) -> float:
        """Timeout for a picture, in seconds; longer on a slow machine."""
        usual = self._task.timeout
        return min(max(usual, _MAX_SLOWDOWN * self._slowest), _MAX_EXTENSION * usual)

    def _next_outcome(self, folder: Path) -> Outcome:
        while (outcome := self._unfinished[0].outcome) is None:
            self._handle_events()
            self._submit_jobs(folder)
        self._unfinished.popleft()
        return outcome

    def _submit_jobs(self, folder: Path) -> None:
        """Sends jobs until no worker has room; only one at a time while there are suspects."""
        while self._waiting and not (self._suspects and self._pool.pending_numbers):
            place = self._waiting[0]
            path = f"{folder}/{place.picture.file}"  # faster than joining Path objects
            if not self._pool.submit(
                Job(place.number, path, place.picture.file, self._picture_timeout)
            ):
                break
            self._waiting.popleft()

    def _handle_events(self) -> None:
        """Waits for the workers and handles their messages."""
        for event in self._pool.listen(self._picture_timeout):
            if isinstance(event, Lost):
                self._handle_lost(event)
            else:
                self._handle_message(event)
        if self._pool.ended:
            self._pool = WorkerPool(self._task, self._fork)

    def _handle_message(self, message: Message) -> None:
        if isinstance(message, Answer):
            picture = self._find(message.number).picture
            error = message.error
            if error is not None and not message.unfinished:
                error = f"internal error ({error})"
            self._slowest = max(self._slowest, message.took)
            outcome = Outcome(
                *(picture, message.prediction, False, message.drawings, error),
                unfinished=error is not None and message.unfinished,
            )
            self._set_outcome(message.number, outcome)
            profiling.add_seconds(self._seconds, message.seconds)
        elif isinstance(message, Ready):
            self._cache_key = message.cache_key
            logs.info("worker ready: %s", message.model)
            profiling.add_seconds(self._seconds, message.seconds)
            for warning in message.warnings:
                self._warn(warning)
            self._pool.start(self._task.workers)
        elif isinstance(message, ForkFailed):
            self._warn_of_fewer_workers(max(self._pool.size, 1), message.why)
            if self._pool.size == 0:
                self._restart_with_one_worker()
        elif isinstance(message, Unusable):
            raise _exception_class(message.error)(message.text)

    def _find(self, number: int) -> _Unfinished:
        return self._unfinished[number - self._unfinished[0].number]

    def _set_outcome(self, number: int, outcome: Outcome) -> None:
        self._find(number).outcome = outcome
        self._suspects.discard(number)
        self._failed_starts = 0

    def _handle_lost(self, lost: Lost) -> None:
        """Schedules the pictures of a lost worker again; gives up one that ended a worker twice."""
        if lost.numbers and lost.at_work and lost.numbers[0] in self._suspects:
            (number,) = lost.numbers  # suspects are tried one at a time
            self._set_outcome(number, self._lost_outcome(self._find(number).picture, lost))
            return
        self._waiting.extendleft(self._find(number) for number in reversed(lost.numbers))
        if lost.numbers and lost.at_work:
            self._suspects.update(lost.numbers)
        elif lost.why:
            self._count_failed_start(lost)

    def _count_failed_start(self, lost: Lost) -> None:
        """Continues with a single worker if forked ones do not start.

        Raises:
            RuntimeMissing: The libraries cannot be loaded, or workers end repeatedly.
        """
        self._failed_starts += 1
        if self._cache_key is None or self._failed_starts > _MAX_FAILED_STARTS:
            raise RuntimeMissing(
                f"the libraries cannot be used here: the worker process {lost.why}; try another "
                "--runtime, or install the package again; a PC from before 2009 needs NumPy 1 and "
                "tflite-runtime (README, Supported platforms)"
            )
        if lost.numbers and self._task.workers > 1:
            self._warn_of_fewer_workers(1, "a forked worker does not start")
            self._restart_with_one_worker()

    def _restart_with_one_worker(self) -> None:
        """Restarts the pool with a single worker, which needs no fork."""
        self._pool.end()
        self._task = self._task._replace(workers=1)
        self._waiting = deque(place for place in self._unfinished if place.outcome is None)

    def _warn_of_fewer_workers(self, workers: int, why: str) -> None:
        self._warn(f"only {workers} of {self._task.workers} workers could start ({why})")

    def _lost_outcome(self, picture: PictureFile, lost: Lost) -> Outcome:
        """Returns the outcome of a picture that has ended a worker twice."""
        if lost.hung:
            error = f"no result within {self._picture_timeout:.0f} s"
            return Outcome(picture, None, error=error, unfinished=True)
        why = f"the worker process {lost.why}"
        if lost.killed:
            return Outcome(picture, None, error=why, unfinished=True)
        if lost.internal:
            return Outcome(picture, None, error=f"internal error ({why})")
        message = f"{why}; the file is corrupt or hostile: save it again in another program"
        return Outcome(picture, unreadable(picture.file, message, self.cache_key))


def _exception_class(name: str) -> type[GenderClassifierError]:
    """Returns the exception class of that name, as far as this package has one."""
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, GenderClassifierError):
        return kind
    return GenderClassifierError
