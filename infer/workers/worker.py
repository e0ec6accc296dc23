"""The process that judges, kept apart from the one that writes.

A decoder that crashes on a hostile picture takes its process with it. So the command itself
touches no pixels: it sends the paths here, a line each, and gets verdicts back (see `wire`).

The first such process, forked from the command, loads libraries and models and then forks others
where there is work for them: they share its memory, and start within milliseconds. Threads would
wait for each other's Python code.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import time
import warnings
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from image_gender_classifier.errors import GenderClassifierError, InternalError, RuntimeFallback
from image_gender_classifier.imaging import opencv
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction
from image_gender_classifier.system import profiling
from image_gender_classifier.workers import messages
from image_gender_classifier.workers.messages import (
    Classified,
    Failed,
    Fork,
    ForkFailed,
    Job,
    Message,
    Ready,
    Task,
    Unusable,
    Warned,
)

if TYPE_CHECKING:
    from image_gender_classifier.imaging.picture import Picture

_HELD = 0.01  # seconds that verdicts are held back, so that the command is not woken for each
_PIECE = 2**16  # bytes
_STANDARD = 3  # open files: input, output and error
_USUALLY_OPEN = 1024  # files at most
_ALONE = 90  # seconds: the command gives a picture up sooner, unless it has been killed

# What glibc keeps instead of giving it back to the system: to have it anew takes as long as finding
# a face. The options' numbers (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD) and bytes.
_KEPT = ((-3, 2**23), (-1, 2**24))

Pipes = tuple[int, int]
"""The end of a pipe that jobs come from, and the end of one that answers go to."""


def main(pipes: Sequence[Pipes]) -> NoReturn:
    """Serves the command that forked this process, until it closes the pipe.

    Args:
        pipes: This process's, and those of the processes that are to be forked when the command
            says so.
    """
    own, *others = [(_above_standard(jobs), _above_standard(answers)) for jobs, answers in pipes]
    _part_from_command([end for pair in (own, *others) for end in pair])
    with suppress(BrokenPipeError):
        _serve(Talk(own), others)
    _wait_for_children()
    os._exit(0)  # nobody needs what Python would still tidy up


def _above_standard(file: int) -> int:
    """Leaves the numbers of standard input, output and error alone, which may have been closed."""
    return file if file >= _STANDARD else fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _STANDARD)


def _part_from_command(kept: Sequence[int]) -> None:
    """Leaves the command's group, files and handling of signals; keeps some open files."""
    os.setsid()  # Ctrl-C in the terminal is the command's affair
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    # The command's files and its ends of the pipes are to be closed as soon as it closes them, or
    # is killed.
    for file in _open_files():
        if file not in kept:
            with suppress(OSError):
                os.close(file)
    # Libraries remark on damaged files, where the verdicts say it.
    for standard in range(_STANDARD):
        os.dup2(os.open(os.devnull, os.O_RDWR), standard)


def _open_files() -> Iterable[int]:
    try:
        return [int(file.name) for file in Path("/dev/fd").iterdir()]
    except OSError:  # no such thing here
        return range(_USUALLY_OPEN)


def _wait_for_children() -> None:
    """Waits for the processes forked here, so that the system counts their time as this one's."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


class Talk:
    """Hears the command and answers."""

    def __init__(self, pipes: Pipes) -> None:
        self._jobs, self._answers = pipes
        self._lines = messages.Lines()
        self._heard: deque[Message] = deque()
        self._held: list[bytes] = []
        self._reported = time.monotonic()

    def hear(self) -> Message | None:
        """Waits for the next message; None when the command has closed the pipe."""
        while not self._heard:
            self.flush()  # before what may be a long wait
            piece = os.read(self._jobs, _PIECE)
            if not piece:
                return None
            self._heard += self._lines.take(piece)
        return self._heard.popleft()

    def tell(self, message: Message) -> None:
        """Sends a message, at once or with those that follow it closely."""
        self._held.append(messages.encode(message))
        if time.monotonic() >= self._reported + _HELD:
            self.flush()

    def flush(self) -> None:
        """Sends what is held back."""
        data = memoryview(b"".join(self._held))
        self._held.clear()
        while data:
            data = data[os.write(self._answers, data) :]
        self._reported = time.monotonic()

    def close(self) -> None:
        """Closes both pipes, unheard and untold."""
        os.close(self._jobs)
        os.close(self._answers)


def _serve(talk: Talk, others: list[Pipes]) -> None:
    task = talk.hear()
    assert isinstance(task, Task)
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always", RuntimeFallback)
        try:
            classify = PictureClassifier(task)
        except GenderClassifierError as error:
            talk.tell(_unusable(error))
            talk.flush()
            return
    for remark in remarks:
        if issubclass(remark.category, RuntimeFallback):  # others are the libraries' affair
            talk.tell(Warned(str(remark.message)))
    talk.tell(classify.ready)
    gc.freeze()  # what all of them share is not to be written to by the garbage collector
    while (message := talk.hear()) is not None:
        try:
            if isinstance(message, Fork):
                talk = _forked(talk, others, task)
            elif isinstance(message, Job):
                _end_in(_ALONE)
                answer = classify.answer(message)
                _end_in(0)
                talk.tell(answer)  # which may wait for the command to listen
        except GenderClassifierError as error:
            talk.tell(_unusable(error))


def _end_in(seconds: int) -> None:
    """Has the system end this process after a while, whatever a decoder is at; 0 for not at all."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _forked(talk: Talk, others: list[Pipes], task: Task) -> Talk:
    """Forks a process for the first of the other pipes; gives each of the two its talk."""
    try:
        process = os.fork()
    except OSError as error:
        talk.tell(ForkFailed(task.workers - len(others), str(error.strerror)))
        return talk
    pipes = others.pop(0)
    if process != 0:
        for pipe in pipes:
            os.close(pipe)
        return talk
    talk.close()
    for other in others:
        for pipe in other:
            os.close(pipe)
    others.clear()
    return Talk(pipes)


class PictureClassifier:
    """Judges one picture at a time."""

    def __init__(self, task: Task) -> None:
        clock = profiling.clock(task.profile)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's have nothing to do here
        opencv.check()
        import cv2

        from image_gender_classifier.engine import Engine

        # Pictures are spread over processes; OpenCV's threads would only get in their way.
        cv2.setNumThreads(1)
        _keep_memory()
        clock.lap("load the libraries")
        self._classifier = Engine.open(task.choices)
        clock.lap("open the models")
        parts = self._classifier.parts
        model = f"{parts.runtime} runs {parts.classifier.entry.file}"
        self.ready = Ready(self._classifier.cache_key, clock.taken(), model)
        self._task = task
        self._clock = clock

    def answer(self, job: Job) -> Classified | Failed:
        """Classifies a picture, or says which exception that met."""
        try:
            return self.classified(job)
        except InternalError as error:
            from image_gender_classifier.engine import one_line

            if self._task.debug:
                import traceback

                traceback.print_exception(error)
            return Failed(job.number, one_line(error.__cause__ or error))

    def classified(self, job: Job) -> Classified:
        """Judges a picture.

        Raises:
            GenderClassifierError: No picture can be judged.
        """
        self._clock.lap("wait for a picture")
        drawings = NO_DRAWINGS

        def show(picture: Picture, prediction: Prediction) -> None:
            from image_gender_classifier.outputs.annotated import COPY_SIDE, THUMBNAIL_SIDE, draw

            nonlocal drawings
            small = self._task.thumbnails and prediction.doubtful
            drawings = Drawings(
                draw(picture, prediction, COPY_SIDE) if self._task.copies else None,
                draw(picture, prediction, THUMBNAIL_SIDE) if small else None,
            )

        wanted = self._task.copies or self._task.thumbnails
        prediction = self._classifier.classify_file(
            Path(job.path), job.file, show if wanted else None, self._clock
        )
        return Classified(job.number, prediction, drawings, self._clock.taken())


def _unusable(error: GenderClassifierError) -> Unusable:
    return Unusable(type(error).__name__, str(error))


def _keep_memory() -> None:
    """Has glibc keep the memory that a picture of usual size took for the next one."""
    import ctypes  # NumPy loads it anyway

    with suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        for option, size in _KEPT:
            libc.mallopt(option, size)
