"""Has pictures judged by a worker process, and survives what becomes of it.

A picture whose decoder crashes, or takes for ever, costs its own verdict and nobody else's: the
worker is started again, and where several pictures were on its hands, they are tried once more
one at a time, so that the culprit is known.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from image_gender_classifier import errors, stages, wire
from image_gender_classifier.errors import GenderClassifierError, RuntimeMissing
from image_gender_classifier.fingerprint import unreadable
from image_gender_classifier.listing import PictureFile
from image_gender_classifier.verdict import NO_DRAWINGS, Drawings, Verdict
from image_gender_classifier.wire import Begun, Failed, Job, Judged, Message, Ready, Task, Warned

LONGEST = 60.0  # seconds that a picture may take: a small board's longest is a tenth of that
_AHEAD = 4  # pictures on the way for each thread of the worker
_FALSE_STARTS = 2
_START = (
    "import sys; sys.path[:] = {path!r}; from image_gender_classifier import worker; worker.main()"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A picture with its verdict.

    Attributes:
        picture: The picture.
        verdict: What is said of it.
        kept: Whether the verdict is an earlier run's that still holds.
        drawings: What was drawn of it.
    """

    picture: PictureFile
    verdict: Verdict
    kept: bool
    drawings: Drawings = NO_DRAWINGS


Known = Callable[[PictureFile], Outcome | None]
"""The outcome of a picture that need not be judged, or None."""


def _say_nothing(_text: str) -> None:
    """What a warning is given to where nobody wants it."""


@dataclass(slots=True)
class _Place:
    """A picture in the row of those on the way."""

    number: int
    picture: PictureFile
    outcome: Outcome | None
    asked: bool = False
    begun: float | None = None

    def judged(self, verdict: Verdict, drawings: Drawings = NO_DRAWINGS) -> None:
        self.outcome = Outcome(self.picture, verdict, False, drawings)


class Supervisor:
    """A worker process, whichever one it is by now.

    Args:
        task: What the worker is to be.
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
        self._worker = _Worker(task)
        self._settings: str | None = None
        self._false_starts = 0
        self._row: deque[_Place] = deque()
        self._seconds: dict[str, float] = {}
        self._alone_until = -1  # up to this number pictures are judged one at a time

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.end()

    @property
    def settings(self) -> str:
        """The key of all but the picture that a verdict depends on; waits for the worker.

        Raises:
            GenderClassifierError: The worker cannot judge.
        """
        while self._settings is None:
            self._listen()
        return self._settings

    @property
    def seconds(self) -> Mapping[str, float]:
        """How long each stage of the worker took so far, all its threads together."""
        return self._seconds

    def judge(
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
            GenderClassifierError: The worker cannot judge.
        """
        for number, picture in enumerate(pictures):
            self._row.append(_Place(number, picture, known(picture) if known else None))
            self._ask(folder)
            if len(self._row) >= self._task.workers * _AHEAD:
                yield self._first(folder)
        while self._row:
            yield self._first(folder)

    def _first(self, folder: Path) -> Outcome:
        while (outcome := self._row[0].outcome) is None:
            self._ask(folder)
            self._listen()
        self._row.popleft()
        return outcome

    def _ask(self, folder: Path) -> None:
        """Sends the worker what it may have."""
        alone = self._row[0].number <= self._alone_until
        for place in (self._row[0],) if alone else self._row:
            if place.outcome is None and not place.asked:
                place.asked = True
                path = str(folder / place.picture.file)
                self._worker.send(Job(place.number, path, place.picture.file))

    def _listen(self) -> None:
        """Waits for the worker's next message, and acts on it."""
        try:
            message = self._worker.next(self._patience())
        except Empty:
            self._give_up()
            return
        if isinstance(message, Judged):
            self._place(message.number).judged(message.verdict, message.drawings)
            stages.add(self._seconds, message.seconds)
        elif isinstance(message, Begun):
            self._place(message.number).begun = time.monotonic()
        elif isinstance(message, Ready):
            self._settings = message.settings
            self._false_starts = 0
            stages.add(self._seconds, message.seconds)
        elif isinstance(message, Warned):
            self._warn(message.text)
        elif isinstance(message, Failed):
            raise _error(message)
        else:
            self._recover(self._worker.end())

    def _place(self, number: int) -> _Place:
        return self._row[number - self._row[0].number]

    def _on_hand(self) -> list[_Place]:
        """The pictures that the worker has taken up and not judged."""
        return [place for place in self._row if place.begun is not None and place.outcome is None]

    def _patience(self) -> float | None:
        """Seconds until the first picture on hand has taken too long."""
        begun = [place.begun for place in self._on_hand() if place.begun is not None]
        return max(min(begun) + self._longest - time.monotonic(), 0) if begun else None

    def _give_up(self) -> None:
        """Ends a worker that has been at a picture for too long."""
        self._worker.end()
        late = time.monotonic() - self._longest
        for place in self._on_hand():
            if place.begun is not None and place.begun <= late:
                place.judged(self._lost(place, f"It takes longer than {self._longest:.0f} s"))
        self._restart()

    def _recover(self, how: str) -> None:
        """Goes on after the worker has died."""
        on_hand = self._on_hand()
        if self._settings is None or (not on_hand and self._false_starts >= _FALSE_STARTS):
            raise RuntimeMissing(
                f"the libraries cannot be used here: the process that judges {how}; try another "
                "--runtime, or install the package again"
            )
        self._false_starts += not on_hand
        if len(on_hand) == 1:
            (culprit,) = on_hand
            culprit.judged(self._lost(culprit, f"The process that judged it {how}"))
        elif on_hand:
            self._alone_until = on_hand[-1].number
        self._restart()

    def _restart(self) -> None:
        self._worker = _Worker(self._task)
        for place in self._row:
            place.asked, place.begun = False, None

    def _lost(self, place: _Place, why: str) -> Verdict:
        message = f"{why}; the file is damaged or hostile: save it again in another program."
        return unreadable(place.picture.file, message, self.settings)


class _Worker:
    """A process that judges; see `worker`."""

    def __init__(self, task: Task) -> None:
        # Neither its folder nor the present one may add to where modules come from.
        start = _START.format(path=sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries remark on damaged files; the verdicts say it
            start_new_session=True,  # Ctrl-C in the terminal is the command's affair
        )
        self._messages: SimpleQueue[Message | None] = SimpleQueue()
        threading.Thread(target=self._hear, daemon=True).start()
        self.send(task)

    def send(self, message: Message) -> None:
        """Sends a message; a worker that has died is noticed when it is listened to."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(wire.encode(message))
            self._process.stdin.flush()

    def next(self, timeout: float | None) -> Message | None:
        """Waits for the next message; None when there will be none any more.

        Raises:
            Empty: None came in time.
        """
        return self._messages.get(timeout=timeout)

    def end(self) -> str:
        """Ends the process; tells how it ended, had it done so itself."""
        self._process.kill()
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if code >= 0:
            return f"ended with exit code {code}"
        if -code == signal.SIGKILL:
            return "was killed (is there too little memory?)"
        return f"crashed ({signal.Signals(-code).name})"

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with suppress(ValueError):  # half a line, from a process that died; or a closed pipe
            for line in self._process.stdout:
                self._messages.put(wire.decode(line))
        self._messages.put(None)


def _error(message: Failed) -> GenderClassifierError:
    kind = getattr(errors, message.error, GenderClassifierError)
    error: GenderClassifierError = kind(message.text)
    return error
