"""Classifies pictures in a worker pool and tries again those whose worker has ended.

Every picture gets one `Outcome`, in order. When a worker crashes or hangs, its unanswered pictures
are tried again one at a time, while the other workers are idle. A picture that ends a worker again
is `unreadable` if the worker crashed. After any other ending it has no prediction: the machine may
be slow or have too little memory, or this package has a bug.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from image_gender_classifier.errors import InternalError, RuntimeMissing, Unfinished, describe_bug
from image_gender_classifier.manifest.cache_key import make_unreadable_prediction
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction, Preview
from image_gender_classifier.system import logs, profiling
from image_gender_classifier.workers.exit_status import Ending
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
_MAX_FAILED_STARTS = 2  # in a row
_SHUTDOWN_TIMEOUT = 1.0  # seconds
_MAX_SLOWDOWN = 20.0  # times the slowest picture so far; extends the timeout on slow machines
_MAX_EXTENSION = 10.0  # times the usual timeout, whatever a compromised worker reports


class Outcome(NamedTuple):
    """The result of a picture.

    Attributes:
        picture: The picture.
        prediction: The prediction; None if the picture was not classified, because of a timeout, a
            killed worker, a lack of memory, an unavailable drive, or an internal error.
        kept: Whether the prediction comes from an earlier run and is still valid.
        drawings: What outputs need of the picture besides, if the task requests it.
        error: Why there is no prediction, in one line; None if there is one.
        unfinished: Whether the next try may succeed: no prediction, but no internal error either.
        preview: The preview, if the task asks for it instead of a prediction.
    """

    picture: PictureFile
    prediction: Prediction | None
    kept: bool = False
    drawings: Drawings = NO_DRAWINGS
    error: str | None = None
    unfinished: bool = False
    preview: Preview | None = None


Known = Callable[["PictureFile"], Outcome | None]
"""Returns the outcome of a picture that need not be classified; None for any other picture."""


class Supervisor:
    """Classifies pictures in a worker pool, and replaces the pool if all its processes end.

    A context manager, which ends the worker processes on exit.

    Args:
        task: Settings and number of the workers.
        warn: Called with the text of each warning for the user.
        fork: See `FirstProcess`.

    Attributes:
        seconds: Seconds spent in each stage so far, summed over all workers; empty unless
            `Task.profile` is set.
        model, threshold: See `Ready`; known after `cache_key`.

    Raises:
        RuntimeMissing: See `FirstProcess`.
    """

    def __init__(
        self, task: Task, warn: Callable[[str], None] = lambda _: None, fork: bool = True
    ) -> None:
        self.seconds: dict[str, float] = {}
        self.model, self.threshold = "", 0.0
        self._task, self._warn, self._fork = task, warn, fork
        self._pool = WorkerPool(task, fork)
        self._cache_key: str | None = None
        self._failed_starts = 0  # since the last outcome
        self._unfinished: dict[int, PictureFile] = {}  # by number, in order
        self._outcomes: dict[int, Outcome] = {}  # of unfinished pictures that wait for earlier ones
        self._waiting: deque[int] = deque()  # numbers of pictures that no worker has got yet
        self._folder = Path()
        self._side = 0  # of previews, in pixels
        self._suspects: set[int] = set()  # numbers of pictures whose worker has ended
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

        Blocks until the first process has loaded the models.

        Raises:
            GenderClassifierError: A library, model or setting cannot be used.
        """
        while self._cache_key is None:
            self._handle_events()
        return self._cache_key

    def classify(
        self,
        pictures: Iterable[PictureFile],
        folder: Path,
        known: Known | None = None,
        side: int = 0,
    ) -> Generator[Outcome, None, None]:
        """Classifies pictures, or draws previews of them if the task says so.

        Args:
            pictures: The pictures; their paths are relative to `folder`.
            folder: The input folder.
            known: Looks up the outcome of a picture that need not be classified; None if all must.
            side: Maximum of the longest side of each preview, in pixels.

        Yields:
            One outcome per picture, in order.

        Raises:
            GenderClassifierError: A library, model or setting cannot be used.
        """
        self._folder, self._side = folder, side
        for number, picture in enumerate(pictures):
            self._unfinished[number] = picture
            outcome = known(picture) if known else None
            if outcome is None:
                self._waiting.append(number)
                self._submit_jobs()
            else:
                self._outcomes[number] = outcome
            yield from self._take_outcomes(self._task.workers * _MAX_UNFINISHED - 1)
        yield from self._take_outcomes(0)

    @property
    def _timeout(self) -> float:
        """Timeout for a picture, in seconds; longer on a slow machine."""
        usual = self._task.timeout
        return min(max(usual, _MAX_SLOWDOWN * self._slowest), _MAX_EXTENSION * usual)

    def _take_outcomes(self, most: int) -> Iterator[Outcome]:
        """Yields outcomes in order; waits until at most `most` pictures are unfinished."""
        while self._unfinished:
            number = next(iter(self._unfinished))
            if number in self._outcomes:
                del self._unfinished[number]
                yield self._outcomes.pop(number)
            elif len(self._unfinished) > most:
                self._handle_events()
            else:
                break

    def _submit_jobs(self) -> None:
        """Sends jobs until no worker has room.

        While a picture is a suspect, sends one at a time, and only if no worker is being replaced:
        other workers may have ended, too, unnoticed as yet.
        """
        pool = self._pool
        # Few pictures are shared equally, even if one worker starts later than another.
        left = len(self._unfinished) - len(self._outcomes)
        share = -(-left // max(pool.size, 1))
        while self._waiting and not (self._suspects and (pool.pending or pool.starting)):
            number = self._waiting[0]
            picture = self._unfinished[number]
            file = picture.file
            path = picture.source or f"{self._folder}/{file}"  # faster than joining Path objects
            if not pool.submit(Job(number, path, file, self._timeout, self._side), share):
                break
            self._waiting.popleft()

    def _handle_events(self) -> None:
        """Waits for the workers, handles their messages, and sends more jobs."""
        for event in self._pool.listen(self._timeout):
            if isinstance(event, Lost):
                self._handle_lost(event)
            else:
                self._handle_message(event)
        if self._pool.ended:
            self._waiting = deque(sorted(self._unfinished.keys() - self._outcomes.keys()))
            self._pool = WorkerPool(self._task, self._fork)
        self._submit_jobs()

    def _handle_message(self, message: Message) -> None:
        if isinstance(message, Answer):
            self._slowest = max(self._slowest, message.took)
            profiling.add_seconds(self.seconds, message.seconds)
            picture = self._unfinished[message.number]
            result = message.prediction, False, message.drawings, message.error, message.unfinished
            self._set_outcome(message.number, Outcome(picture, *result, message.preview))
        elif isinstance(message, Ready):
            self._cache_key = message.cache_key
            self.model, self.threshold = message.model, message.threshold
            logs.info("worker ready: %s", message.model)
            profiling.add_seconds(self.seconds, message.seconds)
            for warning in message.warnings:
                self._warn(warning)
            self._pool.start(self._task.workers)
        elif isinstance(message, ForkFailed):
            self._use_fewer_workers(self._pool.size, message.why)
        elif isinstance(message, Unusable):
            raise message.to_exception()

    def _set_outcome(self, number: int, outcome: Outcome) -> None:
        self._outcomes[number] = outcome
        self._suspects.discard(number)
        self._failed_starts = 0

    def _handle_lost(self, lost: Lost) -> None:
        """Schedules the pictures of a lost worker again; gives up one that ended a worker twice."""
        if lost.jobs and lost.jobs[0].number in self._suspects:
            (job,) = lost.jobs  # suspects are tried one at a time
            self._set_outcome(job.number, self._lost_outcome(job, lost.ending))
        elif lost.jobs:
            self._waiting.extendleft(job.number for job in reversed(lost.jobs))
            self._suspects.update(job.number for job in lost.jobs)
        elif lost.at_start or self._cache_key is None or self._pool.ended:
            self._failed_starts += 1
            if self._cache_key is None or self._failed_starts > _MAX_FAILED_STARTS:
                why = f"the worker process {lost.ending.text} before its first picture"
                if lost.ending.cause == "internal":
                    raise InternalError(f"{describe_bug(why)}; {lost.ending.remedy}")
                kind = RuntimeMissing if lost.ending.cause == "crashed" else Unfinished
                raise kind(f"{why}; {lost.ending.remedy}")
            if lost.at_start and lost.ending.cause != "killed" and self._task.workers > 1:
                self._use_fewer_workers(0, "a forked worker does not start")

    def _use_fewer_workers(self, forked: int, why: str) -> None:
        """Warns that only `forked` workers could start; continues without forks if it is 0."""
        self._warn(f"only {max(forked, 1)} of {self._task.workers} workers could start ({why})")
        if forked == 0:
            self._task = self._task._replace(workers=1)
            self._pool.end()  # `_handle_events` starts another

    def _lost_outcome(self, job: Job, ending: Ending) -> Outcome:
        """Returns the outcome of a picture that has ended a worker twice."""
        picture = self._unfinished[job.number]
        why = f"the worker process {ending.text}"
        if ending.cause == "crashed":
            why += "; the file is corrupt or hostile: save it again in another program"
            return Outcome(picture, make_unreadable_prediction(picture.file, why, self.cache_key))
        if ending.cause == "hung":
            why = f"no result within {job.timeout:.0f} s"
        elif ending.cause == "internal":
            why = describe_bug(why)
        return Outcome(picture, None, error=why, unfinished=ending.cause != "internal")
