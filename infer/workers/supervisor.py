"""Runs the classifier in worker processes and replaces workers that crash or hang.

Every picture gets one `Outcome`, in order. Its `prediction` is None only after an internal error:
then `error` is the exception in one line, and no XML file is written for the picture.

A picture whose decoder crashes, or takes for ever, costs its own verdict and nobody else's: the
processes are started again, and the pictures that were on their hands are tried once more one at
a time, so that the culprit is known.
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
    Classified,
    Failed,
    ForkFailed,
    Job,
    Message,
    Ready,
    Task,
    Unusable,
    Warned,
)
from image_gender_classifier.workers.pool import WorkerPool

LONGEST = 60.0  # seconds that a picture may take: a small board's longest is a tenth of that
_AHEAD = 16  # pictures on the way for each process, those included that wait for an earlier one
_FALSE_STARTS = 2


class Outcome(NamedTuple):
    """A picture with its verdict.

    Attributes:
        picture: The picture.
        prediction: The prediction, or None after an internal error.
        kept: Whether it comes from an earlier run and still holds.
        drawings: The copies drawn of the picture.
        error: The internal error in one line, or None.
    """

    picture: PictureFile
    prediction: Prediction | None
    kept: bool = False
    drawings: Drawings = NO_DRAWINGS
    error: str | None = None


Known = Callable[[PictureFile], Outcome | None]
"""The outcome of a picture that need not be judged, or None."""


def _say_nothing(_text: str) -> None:
    """What a warning is given to where nobody wants it."""


class _Place:
    """A picture in the row of those on the way."""

    def __init__(self, number: int, picture: PictureFile, outcome: Outcome | None) -> None:
        self.number = number
        self.picture = picture
        self.outcome = outcome

    def classified(self, prediction: Prediction, drawings: Drawings = NO_DRAWINGS) -> None:
        self.outcome = Outcome(self.picture, prediction, False, drawings)


class Supervisor:
    """Processes that judge, whichever they are by now.

    Args:
        task: What they are to do.
        longest: Seconds that a picture may take.
        warn: Is given what the user should read.
    """

    def __init__(
        self,
        task: Task,
        longest: float = LONGEST,
        warn: Callable[[str], None] = _say_nothing,
    ) -> None:
        self._task = task
        self._longest = longest
        self._warn = warn
        self._pool = WorkerPool(task)
        self._settings: str | None = None
        self._false_starts = 0
        self._row: deque[_Place] = deque()
        self._unasked: deque[_Place] = deque()
        self._seconds: dict[str, float] = {}
        self._alone_until = -1  # up to this number pictures are judged one at a time

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None and not self._row:
            self._pool.finish()
        else:
            self._pool.end()

    @property
    def settings(self) -> str:
        """The key of all but the picture that a verdict depends on; waits for the processes.

        Raises:
            GenderClassifierError: They cannot judge.
        """
        while self._settings is None:
            self._listen()
        return self._settings

    @property
    def seconds(self) -> Mapping[str, float]:
        """How long each stage of the processes took so far, all of them together."""
        return self._seconds

    def classify(
        self, pictures: Iterable[PictureFile], folder: Path, known: Known | None = None
    ) -> Generator[Outcome, None, None]:
        """Judges pictures.

        Args:
            pictures: What to judge.
            folder: The folder that their paths are below.
            known: Which of them need not be judged; all of them by default do.

        Yields:
            An outcome a picture, in the order of the pictures.

        Raises:
            GenderClassifierError: No picture can be judged.
        """
        self._alone_until = -1
        for number, picture in enumerate(pictures):
            place = _Place(number, picture, known(picture) if known else None)
            self._row.append(place)
            if place.outcome is None:
                self._unasked.append(place)
                self._ask(folder)
            while self._row and self._row[0].outcome is not None:
                yield self._first(folder)
            if len(self._row) >= self._task.workers * _AHEAD:
                yield self._first(folder)
        while self._row:
            yield self._first(folder)

    def _first(self, folder: Path) -> Outcome:
        while (outcome := self._row[0].outcome) is None:
            self._listen()
            self._ask(folder)
        self._row.popleft()
        return outcome

    def _ask(self, folder: Path) -> None:
        """Gives the processes as much as they may have."""
        if not self._alone:
            self._pool.fork_for(len(self._unasked))
        while self._unasked and not (self._alone and self._pool.on_hand):
            place = self._unasked[0]
            path = f"{folder}/{place.picture.file}"  # joining path objects takes longer
            if not self._pool.give(Job(place.number, path, place.picture.file)):
                break
            self._unasked.popleft()

    def _place(self, number: int) -> _Place:
        return self._row[number - self._row[0].number]

    @property
    def _alone(self) -> bool:
        """Whether pictures are judged one at a time for now."""
        return self._row[0].number <= self._alone_until

    def _listen(self) -> None:
        """Waits for what the processes say, and acts on it."""
        try:
            said = self._pool.listen(self._longest)
        except TimeoutError:
            self._pool.end()
            self._try_alone(f"It takes longer than {self._longest:.0f} s")
        except EOFError:
            how = self._pool.end()
            if self._pool.ready and self._pool.on_hand:
                self._try_alone(f"The process that judged it {how}")
            else:
                self._try_again(how)
        else:
            for message in said:
                self._take(message)
            fork_failed = [message for message in said if isinstance(message, ForkFailed)]
            if fork_failed:
                self._go_on_with(fork_failed[0])

    def _take(self, message: Message) -> None:
        if isinstance(message, Classified):
            self._place(message.number).classified(message.prediction, message.drawings)
            profiling.add(self._seconds, message.seconds)
        elif isinstance(message, Ready):
            self._settings = message.settings
            logs.info("worker ready: %s", message.model)
            self._false_starts = 0
            profiling.add(self._seconds, message.seconds)
        elif isinstance(message, Warned):
            self._warn(message.text)
        elif isinstance(message, Failed):
            place = self._place(message.number)
            place.outcome = Outcome(place.picture, None, error=message.error)
        elif isinstance(message, Unusable):
            raise _error(message)

    def _try_alone(self, why: str) -> None:
        """Has the pictures judged one at a time at which the processes have ended.

        Args:
            why: What is to be said of the picture, if it was alone already.
        """
        *_, last = self._pool.on_hand
        if self._alone:
            place = self._place(last)
            place.classified(self._lost(place, why))
        else:
            self._alone_until = last
        self._restart()

    def _go_on_with(self, fork_failed: ForkFailed) -> None:
        """Goes on with as many processes as there may be."""
        self._warn(
            f"only {fork_failed.processes} of {self._task.workers} workers could start "
            f"({fork_failed.why})"
        )
        self._pool.finish()  # so that those it has forked no longer count
        self._task = self._task._replace(workers=fork_failed.processes)
        self._restart()

    def _try_again(self, how: str) -> None:
        """Starts again after the processes have ended at nothing in particular.

        Raises:
            RuntimeMissing: They have not begun to judge, or this happens again and again.
        """
        if self._settings is None or self._false_starts >= _FALSE_STARTS:
            raise RuntimeMissing(
                f"the libraries cannot be used here: the process that judges {how}; try another "
                "--runtime, or install the package again; a PC from before 2009 needs NumPy 1 and "
                "tflite-runtime (README, What runs where)"
            )
        self._false_starts += 1
        self._restart()

    def _restart(self) -> None:
        self._unasked = deque(place for place in self._row if place.outcome is None)
        self._pool = WorkerPool(self._task)

    def _lost(self, place: _Place, why: str) -> Prediction:
        message = f"{why}; the file is damaged or hostile: save it again in another program."
        return unreadable(place.picture.file, message, self.settings)


def _error(message: Unusable) -> GenderClassifierError:
    kind = getattr(errors, message.error, GenderClassifierError)
    error: GenderClassifierError = kind(message.text)
    return error
